"""What may be wrong with a factor, and its range where the study leaves it to the parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from konvergensi.base.errors import Fault, InputError, fault, unknown, unknown_name
from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.inputs.scenarios import Scenario
from konvergensi.methods.factors import DISTRIBUTIONS, NEEDS, Factor, levels_of

LEAST_INSIDE = 1e-3  # of a distribution; with less in the range, range or distribution is a slip


def checked_factor(
    factor: Factor,
    known: Mapping[str, Parameter],
    policies: Sequence[Scenario],
    shared: Mapping[str, Value],
    where: object,
) -> Factor:
    """The factor with its range or levels filled in.

    Parameters: known, what may be varied; policies, whose changes a factor would undo; shared, what all runs have set.
    Raises InputError with each thing that is wrong.
    """
    key = f"factors.{factor.key}"
    if factor.is_dummy:
        return replace(factor, low=0.0, high=1.0)
    if factor.key not in known:
        raise InputError(unknown(where, key, factor.key, known))
    if factor.distribution not in DISTRIBUTIONS:
        raise InputError(unknown_name(where, f"{key}.distribution", "distribution", factor.distribution, DISTRIBUTIONS))
    parameter = known[factor.key]
    faults: list[Fault] = []
    if factor.key in shared:
        faults.append(fault(where, key, "set_and_factor"))
    if by := next((each for each in policies if any(change.key == factor.key for change in each.changes)), None):
        faults.append(fault(where, key, "factor_decided", value=by.id))
    whole = isinstance(parameter.value, int) and not isinstance(parameter.value, bool)
    if factor.values or levels_of(parameter):
        settled = replace(factor, values=tuple(factor.values) or levels_of(parameter), whole=whole)
        faults += _level_faults(settled, parameter, where, key)
    else:
        low = parameter.low if factor.low is None else factor.low
        high = parameter.high if factor.high is None else factor.high
        settled = replace(factor, low=low, high=high, whole=whole)
        faults += _number_faults(settled, parameter, where, key)
    if faults:
        raise InputError(faults)
    return replace(settled, values=tuple(parameter.checked(value) for value in settled.values))


def _level_faults(factor: Factor, parameter: Parameter, where: object, key: str) -> list[Fault]:
    """What is wrong with the levels of a factor."""
    if factor.distribution not in ("uniform", "choice"):
        choices = ", ".join(str(each).lower() for each in factor.values)
        return [fault(where, f"{key}.distribution", "factor_levels", value=factor.distribution, choices=choices)]
    faults = [
        replace(wrong, key=f"{key}.values") for value in factor.values if (wrong := parameter.fault_in(value, where))
    ]
    twice = [value for value in dict.fromkeys(factor.values) if factor.values.count(value) > 1]
    return faults + [fault(where, f"{key}.values", "duplicate", value=value, at="") for value in twice]


def _number_faults(factor: Factor, parameter: Parameter, where: object, key: str) -> list[Fault]:
    """What is wrong with the numbers of a distribution."""
    needs = NEEDS[factor.distribution]
    faults = [
        fault(where, f"{key}.{name}", "missing", expected=f"{name} = ...", near=None)
        for name in needs
        if getattr(factor, name) in (None, ())
    ]
    every = {name for names in NEEDS.values() for name in names} - {"values"}
    faults += [
        fault(where, f"{key}.{name}", "factor_unused", value=factor.distribution)
        for name in sorted(every - set(needs))
        if getattr(factor, name) is not None
    ]
    inside = replace(parameter, value=float(parameter.value))  # a mean or a cut of a whole parameter need not be whole
    for name in ("low", "high", "mode", "median"):
        value = getattr(factor, name)
        if value is not None and (wrong := inside.fault_in(value, where)):
            faults.append(replace(wrong, key=f"{key}.{name}"))
    for name, least in (("sd", 0.0), ("gsd", 1.0)):
        value = getattr(factor, name)
        if value is not None and not (least < value < float("inf")):
            faults.append(fault(where, f"{key}.{name}", "not_above", value=value, least=f"{least:g}"))
    if factor.mean is not None and not abs(factor.mean) < float("inf"):
        faults.append(fault(where, f"{key}.mean", "not_number", value=factor.mean, range=""))
    if faults:
        return faults
    assert factor.low is not None and factor.high is not None
    if not factor.low < factor.high:
        faults.append(fault(where, f"{key}.low", "low_not_below", value=factor.low, high=factor.high))
    elif factor.mode is not None and not factor.low <= factor.mode <= factor.high:
        faults.append(
            fault(where, f"{key}.mode", "outside", value=factor.mode, low=factor.low, high=factor.high, unit="")
        )
    elif not factor.share_inside() >= LEAST_INSIDE:
        faults.append(fault(where, key, "factor_outside", low=factor.low, high=factor.high))
    return faults
