import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import konvergensi
from konvergensi.base.errors import InputError
from konvergensi.inputs.agencies import opd_parameters
from konvergensi.inputs.describe import describe
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.fields import GRADES
from konvergensi.inputs.kinds import names_of
from konvergensi.inputs.parameters import Settings, load_parameters, parameter_hashes
from konvergensi.inputs.services import load_services

ENTRY = """
[{name}]
value = {value}
unit = "{unit}"
{bounds}
source = "invented"
grade = "assumption"
role = "assumption"
theme = "delivery"
read = "month"
meaning = "A thing."
arti = "Suatu hal."
"""


def entry(name: str, value: str, bounds: str = "", unit: str = "cm") -> str:
    return ENTRY.format(name=name, value=value, bounds=bounds, unit=unit)


def write(folder: Path, text: str) -> Path:
    (folder / "budget.toml").write_text(text)
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    text = entry("inertia", "0.7", "low = 0\nhigh = 1", "share of the line")
    text += entry("error", "0.9", "low = 0.5\nhigh = 1.4")
    text += entry("plan_month", "4", "low = 1\nhigh = 12", "month of year")
    text += entry("rule", '"additive"', 'choices = ["additive", "threshold"]')
    text += entry("shared", "false") + entry("multiplier", "1", "low = 0.5\nhigh = 2.5")
    return Settings.defaults(load_parameters(write(tmp_path, text)))


def test_every_shipped_parameter_is_complete_and_inside_its_range() -> None:
    parameters = load_parameters()
    assert len(parameters) > 50
    for key, each in parameters.items():
        assert each.key == key and each.checked(each.value) == each.value
        assert each.unit and each.source and each.meaning and each.arti and each.grade in GRADES


def test_services_give_their_costs_and_effects_as_parameters() -> None:
    parameters = load_parameters()
    for service in load_services().values():
        assert parameters[f"services.{service.id}.unit_cost_rp"].value == service.unit_cost.value
        assert parameters[f"services.{service.id}.effect"].value == service.effect.value
        assert {service.name["en"], service.name["id"], service.register, service.class_}


def test_every_parameter_has_a_role_a_theme_and_a_time_of_reading_that_are_explained() -> None:
    parameters = {**load_parameters(), **opd_parameters(find_district("lebak").opd)}
    for each in parameters.values():
        assert each.role in names_of("role") and each.theme in names_of("theme") and each.read in names_of("read")
        assert each.role != "lever" or (each.decided_by and (each.to_do or each.to_do_off)), each.key
        assert each.drawn <= (each.role in ("assumption", "lever") and each.is_number)
    for kind in ("role", "theme", "read", "decided_by"):
        used = {getattr(each, kind) for each in parameters.values()} - {""}
        assert used == set(names_of(kind)) - {"extension"}  # of files of one's own


def test_describe_shows_what_a_parameter_is_in_both_languages() -> None:
    english = dict(describe("socialization.turnover_share"))
    assert english["role"].startswith("lever: ") and english["theme"].startswith("socialization: ")
    assert english["read"].startswith("month: ") and english["decided by"] == "district: district"
    assert "Keep the person in charge in place" in english["to do"] and "nobody measured" in english["in analyses"]
    indonesian = dict(describe("socialization.turnover_share", "id"))
    assert indonesian["peran"].startswith("lever: diputuskan") and "mutasi" in indonesian["tindakan"]
    assert dict(describe("opd.dinkes.skill"))["role"].startswith("lever: ")
    assert dict(describe("services.pmba.effect"))["theme"].startswith("growth: ")


def test_parameter_files_have_hashes() -> None:
    hashes = parameter_hashes()
    assert "services.toml" in hashes and all(len(each) == 64 for each in hashes.values())


def test_types_are_kept(settings: Settings) -> None:
    changed = settings.changed(
        {"budget.inertia": np.float32(0.5), "budget.plan_month": np.int64(2), "budget.shared": np.bool_(True)}
    )
    assert [type(changed[key]) for key in ("budget.inertia", "budget.plan_month", "budget.shared")] == [
        float,
        int,
        bool,
    ]
    assert isinstance(settings["budget.multiplier"], float)  # written 1, with a range of 0.5 to 2.5
    assert settings.changed({"budget.plan_month": 3.0})["budget.plan_month"] == 3
    assert settings["budget.plan_month"] == 4


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "budget.inertia",
            80,
            r"set: budget.inertia: 80 looks like a percent; write 0.8 \(allowed is \[0, 1\]\)",
        ),
        ("budget.inertia", 101, r"101 is outside \[0, 1\] share of the line"),
        ("budget.inertia", -0.1, r"-0.1 is outside \[0, 1\]"),
        ("budget.inertia", float("nan"), r"nan is outside \[0, 1\]"),
        ("budget.inertia", True, r"true is not a number \(0 .. 1 share of the line\)"),
        ("budget.inertia", "0,8", "'0,8' is not a number"),
        ("budget.inertia", [0.8], r"\[0.8\] is not a number"),
        ("budget.error", float("inf"), r"inf is outside \[0.5, 1.4\] cm"),
        pytest.param("budget.error", 10**5000, "digits is outside", id="long integer"),
        ("budget.plan_month", 13, r"13 is outside \[1, 12\] month of year"),
        ("budget.plan_month", 2.5, "2.5 is not a whole number"),
        ("budget.plan_month", float("nan"), "nan is outside"),
        ("budget.rule", "aditive", "'aditive' is not one of: additive, threshold; did you mean additive"),
        ("budget.rule", 1, "1 is not one of"),
        ("budget.shared", 1, "1 is not true or false"),
        ("budget.shared", "True", "'True' is not true or false"),
        (r"budget.inertai", 0.5, r"budget.inertai: unknown key; did you mean budget.inertia\?"),
        ("inertia", 0.5, r"unknown key; did you mean budget.inertia\?"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(settings: Settings, key: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        settings.changed({key: value}, "--set")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_all_bad_values_are_named_at_once(settings: Settings) -> None:
    with pytest.raises(InputError) as caught:
        settings.changed({"budget.inertia": 2, "nothing": 1, "budget.error": 1})
    assert len(caught.value.faults) == 2


def test_reading_an_unknown_key_names_the_nearest(settings: Settings) -> None:
    with pytest.raises(InputError, match=r"did you mean budget\.rule"):
        settings["budget.rul"]


def test_settings_can_be_copied_and_sent(settings: Settings) -> None:
    assert copy.deepcopy(settings) == settings == pickle.loads(pickle.dumps(settings))
    assert settings.changed({"budget.error": 1.0}) != settings
    assert "budget.error" in settings and len(settings) == len(list(settings)) == len(settings.as_dict()) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            entry("a", "2.0", "low = 0\nhigh = 1"),
            r"mechanisms/budget.toml: budget.a: 2 is outside \[0, 1\] cm",
        ),
        (entry("a", "2.0", "low = 0"), "budget.toml: a: a number needs both low and high"),
        (entry("a", '"x"'), "text needs choices"),
        (entry("a", '"x"', 'choices = ["y"]'), "'x' is not one of: y"),
        (entry("a", "[1]"), r"a.value: \[1\] is not one value"),
        (entry("a", "1", 'low = "0"\nhigh = 1'), "a.low: '0' is not a number"),
        (entry("a", "true", "hihg = 1"), r"a.hihg: unknown key; did you mean high\?"),
        (entry("a", "true").replace("meaning", "meening"), r"a.meaning: missing; write .*not meening"),
        (entry("a", "true").replace("assumption", "guess"), "a.grade: 'guess' is not one of: paper"),
        (entry("a", "true").replace("Suatu hal.", " "), "a.arti: empty"),
        (
            entry("a", "true").replace('role = "assumption"', 'role = "levr"'),
            "a.role: 'levr' is not one of: .*mean lever",
        ),
        (entry("a", "true").replace('"delivery"', '"deliveri"'), "a.theme: .*did you mean delivery"),
        (entry("a", "true").replace('"month"', '"monthly"'), "a.read: .*did you mean month"),
        (entry("a", "true", 'marks = ["drawm"]'), "a.marks.*: 'drawm' is not one of: .*did you mean drawn"),
        (entry("a", "true", 'decided_by = "distrik"'), "a.decided_by: .*did you mean district"),
        (entry("a", "true").replace('role = "assumption"\n', ""), "a.role: missing"),
        (
            entry("a", "true").replace('role = "assumption"', 'role = "lever"'),
            "(?s)a.decided_by: missing.*a.to_do: missing",
        ),
        ("a = 1", "budget.toml: a: 1 is not a table"),
        ("[a", "not valid TOML"),
    ],
)
def test_a_faulty_parameter_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_parameters(write(tmp_path, text))


SERVICE = """
[[service]]
id = "soup"
name = { en = "Soup", id = "Sop" }
class = "specific"
opd = "dinkes"
money = "dak"
unit = "child"
target = { en = "all", id = "semua" }
from_age = 6
to_age = 23
need = "all"
months = [1, 12]
duration_months = 18
register = "eppgbm"
venue = "posyandu"
contact = "posyandu"
package = true
acts_on = "laz"
uptake = "food"
unit_cost = { value = 1000, unit = "Rp per child-month", source = "invented", grade = "assumption" }
[service.effect]
value = 0.1
low = 0
high = 1
unit = "z"
from_age = 6
to_age = 23
source = "invented"
grade = "model"
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"specific"',
            '"specifik"',
            r"service\[soup\].class: 'specifik' is not one of: .*did you mean specific",
        ),
        ("to_age = 23\nneed", "to_age = 3\nneed", r"service\[soup\].to_age: 3 is before 6 \(from_age\)"),
        ("[1, 12]", "[0]", r"service\[soup\].months\[#1\]: 0 is outside \[1, 12\] month of year"),
        ("value = 0.1", "value = 3.0", r"service\[soup\].effect: value 3 must lie in low..high"),
        ("value = 1000,", "value = -1,", r"service\[soup\].unit_cost.value: -1 is outside"),
        ('register = "eppgbm"', "", r"service\[soup\].register: missing"),
        ('need = "all"', 'need = "fallering"', r"need: 'fallering' is not one of: .*did you mean faltering"),
        ('need = "all"', 'need = "poor"', r"service\[soup\].need: 'poor' is not one of: all, kek, faltering"),
        ('acts_on = "laz"', 'acts_on = "lazz"', r"acts_on: 'lazz' is not one of: .*did you mean laz"),
        ('venue = "posyandu"', 'venue = "posiandu"', r"venue: 'posiandu' is not one of: .*did you mean posyandu"),
        ('uptake = "food"', 'uptake = "foot"', r"uptake: 'foot' is not one of: .*did you mean food"),
        ("need =", "ned =", r"service\[soup\].need: missing; .*not ned"),
        ('"soup"', '"Soup Bowl"', "'Soup Bowl' is not a short name"),
        ("package = true", 'package = "yes"', "'yes' is not true or false"),
        (', id = "Sop" }', " }", r"service\[soup\].name.id: missing"),
        (SERVICE, SERVICE + SERVICE, "service.id: 'soup' is there twice"),
        ("[[service]]", "[service]", "service: .* is not a list"),
    ],
)
def test_a_faulty_services_file_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SERVICE
    path = tmp_path / "services.toml"
    path.write_text(SERVICE.replace(old, new))
    with pytest.raises(InputError, match=message):
        load_services(path)


def test_a_service_without_effect_range_has_one_value(tmp_path: Path) -> None:
    (tmp_path / "services.toml").write_text(SERVICE.replace("low = 0\nhigh = 1\n", ""))
    effect = load_parameters(tmp_path)["services.soup.effect"]
    assert (effect.low, effect.value, effect.high) == (0.1, 0.1, 0.1)


def test_describe_names_a_file_that_is_there() -> None:
    for key in load_parameters():
        file = dict(describe(key))["file"]
        assert (Path(konvergensi.__file__).parent / file).is_file(), key
