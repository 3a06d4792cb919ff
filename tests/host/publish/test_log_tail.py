"""The log as a queue: whole lines only, a place that outlives the process, a log that is another begins anew."""

from pathlib import Path

from ccdmon.publish.log_tail import LONGEST_LINE, Cursor, Line

LOG = "events.ndjson"


def test_only_whole_lines_and_each_with_its_place(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path, "broker")
    assert list(cursor.lines(0)) == [] and cursor.identify() is None
    (tmp_path / LOG).write_bytes(b"one\n\nthree\nfou")
    assert list(cursor.lines(0)) == [Line(0, 4, b"one"), Line(4, 5, b""), Line(5, 11, b"three")]
    assert list(cursor.lines(11)) == []
    with (tmp_path / LOG).open("ab") as file:
        file.write(b"r\n")
    assert list(cursor.lines(11)) == [Line(11, 16, b"four")]


def test_what_has_no_end_is_passed_on_in_pieces(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(bytes(LONGEST_LINE + 10))
    (line,) = Cursor(tmp_path, "broker").lines(0)
    assert line.end == len(line.text) >= LONGEST_LINE


def test_a_place_is_kept_for_each_broker_and_only_for_its_run(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(b"one\ntwo\n")
    cursor = Cursor(tmp_path, "broker")
    run = cursor.identify()
    cursor.offset, cursor.birth = 4, 17
    cursor.keep()
    again, other = Cursor(tmp_path, "broker"), Cursor(tmp_path, "another")
    assert (again.identify(), again.offset, again.birth) == (run, 4, 17)
    assert (other.identify(), other.offset, other.birth) == (run, 0, 0)
    (tmp_path / LOG).write_bytes(b"begun anew\n")
    anew = Cursor(tmp_path, "broker")
    assert anew.identify() != run and anew.offset == 0


def test_a_place_that_is_nonsense_or_behind_the_end_is_the_beginning(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(b"one\n")
    cursor = Cursor(tmp_path, "broker")
    cursor.identify()
    cursor.offset = 400
    cursor.keep()
    again = Cursor(tmp_path, "broker")
    again.identify()
    assert again.offset == 0
    (place,) = tmp_path.glob("publish-*.json")
    place.write_text('{"offset": "x"')
    assert Cursor(tmp_path, "broker").offset == 0


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "gone", "broker")
    cursor.keep()
    assert isinstance(cursor.error, OSError)
