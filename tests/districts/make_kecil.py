"""Writes tests/districts/kecil, a small synthetic district for tests: python tests/districts/make_kecil.py

4 kecamatan of 6 villages and 3,000 families, with Lebak's agencies, programmes and rates. Counts (births, staff,
village fund) are cut down to its size. Villages are laid out by hand so that every kecamatan has remote and lokus
villages. One line is added that Lebak does not have: a scheme of the district's own without money yet. Run it again
when scenarios/districts/lebak changes. Nothing here is a statement about a real place.
"""

import re
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
KECIL = HERE / "kecil"
LEBAK = HERE.parents[1] / "scenarios/districts/lebak"
FAMILIES, LEBAK_FAMILIES = 3000, 239_000
SHARE = FAMILIES / LEBAK_FAMILIES
KECAMATAN, VILLAGES = 4, 6  # villages in each
HEAD = """\
# A small synthetic district for tests, written by tests/districts/make_kecil.py from Kabupaten Lebak's figures.
name = "Kabupaten Kecil (synthetic)"
province = "none"
kind = "kabupaten"
synthetic = ["villages", "population", "agencies"]

[notes]
en = "Not a real district: 24 villages in 4 kecamatan, for tests."
id = "Bukan kabupaten nyata: 24 desa di 4 kecamatan, untuk uji."
"""
SOURCE = 'source = "as in Lebak", grade = "assumption"'


def district(lebak: str) -> str:
    """Lebak's totals with counts cut down, and its own values of growth and measurement; no history and no surveys."""
    read = tomllib.loads(lebak)
    lines = [HEAD, "[population]"]
    for name, quantity in read["population"].items():
        value = quantity["value"] if name.endswith("_share") else round(quantity["value"] * SHARE)
        lines.append(f'{name} = {{ value = {value}, unit = "{quantity["unit"]}", {SOURCE} }}')
    for key, own in read["set"].items():
        if key.startswith(("growth.", "measurement.")):
            lines += [f'\n[set."{key}"]', f"value = {own['value']}", *SOURCE.split(", ")]
    return "\n".join(lines) + "\n"


def agencies(lebak: str) -> str:
    """Lebak's agencies and programmes, with staff cut down to the size."""
    return re.sub(r"(?m)^staff = (\d+)$", lambda m: f"staff = {max(round(int(m[1]) * SHARE), 1)}", lebak)


def villages() -> str:
    """The village table: from near to far within each kecamatan, the first kecamatan at the capital."""
    rows = ["village,kecamatan,families,lokus,remoteness,poverty,posyandu_quality,x,y,synthetic"]
    for k in range(KECAMATAN):
        for i in range(VILLAGES):
            far = round(0.05 + 0.18 * i + 0.03 * (k - 1.5), 3)
            poverty = round(0.05 + 0.085 * far, 4)
            quality = round(0.75 - 0.25 * far, 3)
            lokus = int(i in ((1, 4) if k < 2 else (3,)))
            name = f"Desa {k + 1}-{i + 1},Kecamatan {k + 1}"
            size = FAMILIES // (KECAMATAN * VILLAGES)
            rows.append(f"{name},{size},{lokus},{max(far, 0.0)},{poverty},{quality},{5 * i},{5 * k},1")
    return "\n".join(rows) + "\n"


def main() -> None:
    KECIL.mkdir(exist_ok=True)
    texts = {
        "district.toml": district((LEBAK / "district.toml").read_text(encoding="utf-8")),
        "opd.toml": agencies((LEBAK / "opd.toml").read_text(encoding="utf-8")),
        "villages.csv": villages(),
    }
    for name, text in texts.items():
        (KECIL / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
