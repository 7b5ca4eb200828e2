"""Who exists: households, children, registers, agents, the network, and the draws that decide about them."""
