"""The diary of a household tells what the tables tell of everybody, and following somebody changes nothing."""

import numpy as np
import pandas as pd
import pytest
from conftest import live

from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe.diary import REGISTERS, Diary
from konvergensi.world.tally import STAGES

SHARE, END = 0.02, "2018-12"


@pytest.fixture(scope="module")
def followed() -> tuple[ConvergenceModel, list[Diary]]:
    """A year in which every household with a child born in the first months of the run keeps a diary."""
    model = ConvergenceModel(rng=1, population_share=SHARE, end=END)
    children = model.world.children
    rows = children.window(model.world.month, -6, 6)
    diaries = [model.recorder.follow(int(row)) for row in np.unique(children.household[rows])]
    while model.running:
        model.step()
    return model, diaries


def test_every_month_is_written_december_included(followed):
    _, diaries = followed
    months = [f"2018-{month:02}" for month in range(1, 13)]
    for diary in diaries:
        assert diary.home["month"].tolist() == months
        for table, each in ((diary.children, 1), (diary.services, len(followed[0].world.services))):
            assert (table.groupby(["child", "month"]).size() == each).all()
        assert diary.services[diary.services["month"] == "2018-12"]["stage"].isin(STAGES).any()


def test_a_service_comes_nearer_within_the_year_and_never_goes_back(followed):
    step = {stage: number for number, stage in enumerate(("", *STAGES))}
    for diary in followed[1]:
        reached = diary.services["stage"].map(step)
        assert (reached.groupby([diary.services["child"], diary.services["service"]]).diff().dropna() >= 0).all()


def test_the_diaries_of_everybody_add_up_to_the_cascade():
    model = ConvergenceModel(rng=1, population_share=0.003, end=END)
    diaries = [model.recorder.follow(row) for row in range(len(model.world.households))]
    while model.running:
        model.step()
    services = pd.concat([diary.services for diary in diaries])
    step = services["stage"].map({stage: number for number, stage in enumerate(("", *STAGES))})
    furthest = step.groupby([services["service"], services["child"]]).max()
    for row in model.recorder.tables()["cascade"].itertuples():
        counted = int((furthest[row.service] > STAGES.index(row.stage)).sum())
        assert counted == row.children, (row.service, row.stage)


def test_children_are_true_measured_and_known_as_in_the_world(followed):
    model, diaries = followed
    world = model.world
    last = world.month - 1  # the month that has been simulated
    for diary in diaries[:20]:
        table = diary.children[diary.children["month"] == END].set_index("child")
        for child in model.household(diary.household).children:
            age = int(last - world.children.birth_month[child])
            name = f"{diary.household}-{world.children.order[child]}"
            if not -9 <= age <= 59:
                assert name not in table.index
                continue
            row = table.loc[name]
            assert row["age_months"] == age
            assert row["laz_true"] == pytest.approx(world.children.z[child]) if age >= 0 else np.isnan(row["laz_true"])
            assert row["dukcapil"] == (world.registers.nik_month[child] <= last)
            assert row["krs"] == world.households.in_krs[diary.household] or age < 0
    children = pd.concat([diary.children for diary in diaries])
    born = children[children["age_months"] >= 0]
    error = (born["laz_measured"] - born["laz_true"]).std()
    assert 0.1 < error < 1.0 and born["laz_measured"].notna().all()
    assert not children.loc[children["age_months"] < 0, ["at_posyandu", "entered", "eppgbm"]].to_numpy().any()
    assert not (born["entered"] & ~born["at_posyandu"]).any()
    assert all(0 < born[name].mean() < 1 for name in REGISTERS if name not in ("kohort", "joined"))


def test_following_somebody_changes_nothing(followed):
    model, _ = followed
    alone = live(share=SHARE, end=END).recorder.tables()
    for name, table in model.recorder.tables().items():
        pd.testing.assert_frame_equal(table, alone[name])


def test_a_diary_starts_in_the_month_after_it_was_opened():
    model = ConvergenceModel(rng=1, population_share=SHARE, end="2018-04")
    model.step()
    diary = model.recorder.follow(0)
    assert diary.home.empty and list(diary.services.columns) == ["month", "child", "service", "stage"]
    while model.running:
        model.step()
    assert diary.home["month"].tolist() == ["2018-02", "2018-03", "2018-04"]
