"""Reading the job shop's reports, and the master data made from them."""

from pathlib import Path

import pytest

from plants.jobshop import master_data, source

PLANT = Path(__file__).parent.parent.parent / "plants" / "jobshop"
SAMPLE = PLANT / "sample" / "reports.csv"
HEADER = (
    "work_order,part,work_order_qty,activity,machine,worker_id,start,complete,report_type,qty_completed,qty_rejected,"
    "qty_for_mrb,rework"
)
TURN = "Case1,Cable Head,10,Turning - Machine 5,Machine 5,ID1,2012/01/29 14:24:00,2012/01/29 15:00:00,S,2,0,0,"
CHECK = "Case1,Cable Head,10,Turning Q.C.,Check 1,ID2,2012/01/29 14:30:00,2012/01/29 14:31:00,D,8,1,0,"


def read(folder: Path, *lines: str) -> source.Source:
    """What is read from a `reports.csv` of these lines."""
    (folder / "reports.csv").write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return source.read(folder / "reports.csv")


def test_the_routing_is_taken_from_the_activities_as_they_first_occur(tmp_path: Path) -> None:
    (job,) = read(tmp_path, CHECK, TURN, CHECK).jobs
    assert job.operations == {"Turning - Machine 5": "OP010", "Turning Q.C.": "OP020"}
    assert [report.row for report in job.reports] == [2, 1, 3]
    assert (job.order_number, job.finished_lot, job.product) == ("JOB-Case1", "LOT-Case1", "CABLE-HEAD-Case1")


def test_what_a_report_says_is_read_as_what_it_is(tmp_path: Path) -> None:
    breakdown = TURN.replace(",S,2,", ",B,0,")
    rework = CHECK.replace(",D,8,1,0,", ",D,8,1,3,Y")
    (job,) = read(tmp_path, TURN, breakdown, rework).jobs
    setup, stop, again = job.reports
    assert (setup.report_type, setup.good, setup.labour_seconds) == ("setup", 2, 2160)
    assert (stop.report_type, stop.good) == ("breakdown", 0)
    assert (again.is_rework, again.scrap, again.review_board) == (True, 1, 3)


def test_an_end_before_the_start_claims_no_working_time(tmp_path: Path) -> None:
    (job,) = read(tmp_path, TURN.replace("2012/01/29 15:00:00", "2012/01/29 13:00:00")).jobs
    assert job.reports[0].labour_seconds is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (TURN.replace("2012/01/29 14:24:00", "yesterday"), "TIME_UNREADABLE"),
        (TURN.replace(",S,2,", ",S,two,"), "QUANTITY_UNREADABLE"),
        (TURN.replace(",S,2,", ",S,-2,"), "QUANTITY_UNREADABLE"),
        (TURN.replace(",S,", ",Q,"), "REPORT_UNREADABLE"),
        (TURN.replace("Turning - Machine 5", ""), "REPORT_UNREADABLE"),
        (TURN.replace(",10,", ",0,"), "WORK_ORDER_UNREADABLE"),
        (TURN.replace("Case1", ""), "WORK_ORDER_UNREADABLE"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_never_dropped(tmp_path: Path, line: str, code: str) -> None:
    read_source = read(tmp_path, line, CHECK)
    assert [(one.row, one.code) for one in read_source.unreadable] == [(1, code)]
    assert len(read_source.jobs[0].reports) == 1


def test_the_master_data_hang_together() -> None:
    jobs = source.read(SAMPLE).jobs
    document = master_data.build(jobs)
    capabilities = {one for station in document["workstations"] for one in station["capabilities"]}
    assert len(document["routes"]) == len(jobs) == 6
    for route, job in zip(document["routes"], jobs, strict=True):
        assert [operation["name"] for operation in route["operations"]] == list(job.operations)
        assert [operation["isOutput"] for operation in route["operations"]].count(True) == 1
        assert route["operations"][-1]["isOutput"]
        assert all(operation["predecessors"] == [] for operation in route["operations"])
        assert {operation["capability"] for operation in route["operations"]} <= capabilities
    (policy,) = document["policies"]
    assert (policy["code"], policy["approvals"], policy["overReport"]) == ("discrete", 0, "flag")


def test_the_sample_is_small_and_its_source_is_named() -> None:
    text = (PLANT / "README.md").read_text(encoding="utf-8")
    assert "10.4121/uuid:68726926-5ac5-4fab-b873-ee76ea412399" in text
    assert "D. Levy (2014)" in text
    assert SAMPLE.stat().st_size < 50_000
