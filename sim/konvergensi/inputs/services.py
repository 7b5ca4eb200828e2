"""Services as data (mechanisms/services.toml): who gives what to whom, when, paid how, to what effect."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import collect, read_toml
from konvergensi.inputs import service_kinds
from konvergensi.inputs.additions import added_services
from konvergensi.inputs.fields import (
    AnyNumber,
    Choice,
    Grade,
    Id,
    Money,
    Registered,
    Rupiah,
    Table,
    Text,
    Words,
    between,
    validated,
)
from konvergensi.inputs.service_kinds import one_of

SERVICES = Path(__file__).resolve().parents[1] / "mechanisms" / "services.toml"
# Months of age, from conception (-9) to the fifth birthday.
Age = Annotated[int, between(-9, 59, "months of age", whole=True)]
MonthOfYear = Annotated[int, between(1, 12, "month of year", whole=True)]


# In which meeting with a family a service rides along; the rule of each kind: mechanisms/contacts.py.
Contact = Literal[
    "posyandu", "health-centre", "antenatal", "birth", "home-visit", "class", "enrolment", "transfer", "works", "office"
]

# the contact of a service that names none, by its venue
USUAL_CONTACT = {
    "posyandu": "posyandu", "home": "home-visit", "facility": "health-centre", "transfer": "transfer", "works": "works",
}  # fmt: skip


class UnitCost(Table):
    """Rupiah for one unit (a child-month, a latrine) of a service."""

    value: Rupiah
    low: Rupiah | None = None
    high: Rupiah | None = None
    unit: Text
    source: Text
    grade: Annotated[Grade, Choice]
    short: Words | None = None  # its name in a figure, where the one made from the service's is too long


class Effect(Table):
    """What a service does at full adherence: z of length for age, SD, or grams at birth, in an age window."""

    value: AnyNumber
    low: AnyNumber | None = None
    high: AnyNumber | None = None
    unit: Annotated[Literal["z", "sd", "g"], Choice]
    from_age: Age
    to_age: Age
    source: Text
    grade: Annotated[Grade, Choice]
    note: str = ""
    short: Words | None = None


class Length(Table):
    """Published length-for-age effect at 24 months of a service whose own effect is on birth weight."""

    value: AnyNumber
    low: AnyNumber
    high: AnyNumber
    source: Text
    grade: Annotated[Grade, Choice]


class TrialDose(Table):
    """What the published effect measures and the dose behind it (evidence/effects_dose.csv).

    doses: deliveries after which the effect is whole; delivered_share: share of them that was taken in the trials.
    """

    kind: Annotated[Literal["intention-to-treat", "per-recipient", "efficacy", "association", "assumed"], Choice]
    doses: Annotated[int, between(1, 72, "deliveries", whole=True)]
    delivered_share: Annotated[float, between(0.1, 1.0, "share")]
    source: Text
    grade: Annotated[Grade, Choice]


class Adequate(Table):
    """Deliveries taken that make a dose that works, and the age in months by which they are due."""

    doses: Annotated[int, between(1, 72, "deliveries", whole=True)]
    by_age: Age
    source: Text
    grade: Annotated[Grade, Choice]


class OtherEvidence(Table):
    """A published figure that contradicts the one followed, and why it was not followed."""

    text: Text


class Service(Registered):
    """One service; ages in months, inclusive (pregnancy is -9 to -1); `months` those it is given in."""

    id: Id
    name: Words
    class_: Annotated[Literal["specific", "sensitive", "supporting"], Choice] = Field(alias="class")
    opd: Id
    money: Annotated[Money, Choice]
    unit: Annotated[Literal["child", "pregnancy", "household"], Choice]
    target: Words
    from_age: Age
    to_age: Age
    need: Annotated[str, one_of("need")]
    months: Annotated[list[MonthOfYear], AfterValidator(lambda months: sorted(set(months)))] = list(range(1, 13))
    duration_months: Annotated[int, between(1, 72, "months", whole=True)]
    venue: Annotated[str, one_of("venue")]
    contact: Annotated[Contact, Choice]
    package: bool = False
    acts_on: Annotated[str, one_of("acts_on")]
    uptake: Annotated[str, one_of("uptake")]
    only_in_need: bool = False  # given to others, it changes nothing
    weighs: bool = False  # whoever runs it measures children and publishes
    unit_cost: UnitCost
    effect: Effect
    trial: TrialDose | None = None  # None: taken as a trial over the whole window
    adequate: Adequate | None = None  # None: one delivery is enough
    laz_24: Length | None = None
    other_evidence: list[OtherEvidence] = Field(default_factory=list)

    @functools.cached_property
    def who(self) -> service_kinds.Need:
        """What is said of its need."""
        return service_kinds.need(self.need)

    @functools.cached_property
    def place(self) -> service_kinds.Venue:
        """What is said of its venue."""
        return service_kinds.venue(self.venue)

    @functools.cached_property
    def act(self) -> service_kinds.Act:
        """What is said of what it acts on."""
        return service_kinds.act(self.acts_on)


class _File(Table):
    service: list[dict[str, Any]]


def load_services(path: Path = SERVICES) -> dict[str, Service]:
    """Read the services by id, in the order of the file; read once and kept.

    Raises InputError naming every fault of the file.
    """
    return dict(_load(path)) | (added_services() if path == SERVICES else {})


@functools.cache
def _load(path: Path) -> dict[str, Service]:
    where = f"mechanisms/{path.name}"
    tables = validated(_File, read_toml(path), where).service
    found: dict[str, Service] = {}
    for service in collect(functools.partial(read_service, table, where) for table in tables):
        if service.id in found:
            raise InputError(fault(where, "service.id", "duplicate", value=service.id, at=""))
        found[service.id] = service
    return found


def read_service(table: dict[str, Any], where: object) -> Service:
    """Read one `[[service]]`. Raises InputError with what is wrong."""
    if "register" not in table:
        raise InputError(
            fault(where, f"service[{table.get('id', '?')}].register", "missing", expected="register = ...")
        )
    usual = USUAL_CONTACT.get(str(table.get("venue")), "office")  # of no known venue: only the venue is told as wrong
    table = {"contact": usual, **table}
    service = validated(Service, table, where, f"service[{table.get('id', '?')}]")
    windows: tuple[tuple[str, Service | Effect], ...] = (("", service), (".effect", service.effect))
    for name, part in windows:
        if part.from_age > part.to_age:
            key = f"service[{service.id}]{name}.to_age"
            raise InputError(fault(where, key, "before", value=part.to_age, first=part.from_age, first_key="from_age"))
    of = "household" if service.unit == "household" else "child"
    if service.who.of != of:
        fitting = [name for name in service_kinds.names("need") if service_kinds.need(name).of == of]
        words = {"value": service.need, "choices": ", ".join(fitting), "near": None}
        raise InputError(fault(where, f"service[{service.id}].need", "choice", **words))
    check_range(service.unit_cost, where, f"service[{service.id}].unit_cost")
    check_range(service.effect, where, f"service[{service.id}].effect")
    return service


def check_range(quantity: Any, where: object, key: str) -> None:
    """Refuse a quantity whose value lies outside its own low..high. Raises InputError."""
    low = quantity.value if quantity.low is None else quantity.low
    high = quantity.value if quantity.high is None else quantity.high
    if not low <= quantity.value <= high:
        raise InputError(fault(where, key, "low_above_high", value=quantity.value, low=low, high=high))
