"""Who is where: speaker view, gallery, pins, screens, pages, and the steadied speaker."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui.fakes import LOCAL, meeting
from ui.meeting.arrange import Choices, Layout, SpeakerFollower, TileKey, arrange, place

SPEAKER = Choices()
GALLERY = Choices(layout=Layout.GALLERY)


def test_speaker_is_large_the_rest_small() -> None:
    arrangement = arrange(meeting(4, speaker=2), SPEAKER)
    assert arrangement.stage == TileKey("p0000002")
    assert arrangement.strip == (TileKey(LOCAL), TileKey("p0000001"), TileKey("p0000003"))
    assert arrangement.gallery == ()


def test_alone_one_sees_oneself() -> None:
    assert arrange(meeting(1), SPEAKER).stage == TileKey(LOCAL)
    assert arrange(meeting(1), replace(GALLERY, show_self=False)).gallery == (TileKey(LOCAL),)


def test_two_people_need_no_filmstrip() -> None:
    arrangement = arrange(meeting(2), SPEAKER)
    assert (arrangement.stage, arrangement.corner, arrangement.strip) == (TileKey("p0000001"), TileKey(LOCAL), ())


def test_a_shared_screen_is_large_with_its_presenter_at_the_corner() -> None:
    arrangement = arrange(meeting(4, share=1, speaker=3), SPEAKER)
    assert arrangement.stage == TileKey("p0000001", True)
    assert arrangement.presenter == TileKey("p0000001")
    placed = place(arrangement, SPEAKER, 1280, 700)
    stage, corner = placed.boxes[TileKey("p0000001", True)], placed.boxes[TileKey("p0000001")]
    assert stage.width > 900
    assert stage.x < corner.x and corner.right <= stage.right and corner.bottom <= stage.bottom
    assert corner.width * 4 <= stage.width


def test_newest_of_several_screens_is_large_and_others_can_be_pinned() -> None:
    state = meeting(4, share=2)
    arrangement = arrange(state, SPEAKER)
    assert arrangement.stage == TileKey("p0000002", True)
    assert TileKey("p0000001", True) in arrangement.strip
    pinned = arrange(state, replace(SPEAKER, pinned=TileKey("p0000001", True)))
    assert pinned.stage == TileKey("p0000001", True)
    assert TileKey("p0000002", True) in pinned.strip


def test_pin_wins_and_a_vanished_pin_is_forgotten() -> None:
    state = meeting(4, speaker=2)
    assert arrange(state, replace(GALLERY, pinned=TileKey("p0000003"))).stage == TileKey("p0000003")
    assert arrange(state, replace(SPEAKER, pinned=TileKey("gone"))).stage == TileKey("p0000002")


def test_gallery_shows_screens_first_and_hides_what_is_unwanted() -> None:
    state = meeting(4, share=1, without_video=[2])
    assert arrange(state, GALLERY).gallery[0] == TileKey("p0000001", True)
    shown = arrange(state, replace(GALLERY, show_self=False, show_without_video=False)).gallery
    assert TileKey(LOCAL) not in shown and TileKey("p0000002") not in shown


def test_gallery_turns_pages() -> None:
    state = meeting(60)
    first = place(arrange(state, GALLERY), GALLERY, 1264, 670)
    assert first.pages > 1
    seen = set(first.boxes)
    for page in range(1, first.pages):
        choice = replace(GALLERY, page=page)
        placed = place(arrange(state, choice), choice, 1264, 670)
        assert not seen & set(placed.boxes)
        seen |= set(placed.boxes)
    assert len(seen) == 60


def test_filmstrip_stands_where_the_window_has_room() -> None:
    arrangement = arrange(meeting(5, speaker=1), SPEAKER)
    wide, tall = place(arrangement, SPEAKER, 1280, 670), place(arrangement, SPEAKER, 700, 900)
    assert wide.vertical_strip and not tall.vertical_strip
    assert wide.strip_box is not None and wide.strip_box.x > 900
    assert tall.strip_box is not None and tall.strip_box.y > 700


def test_filmstrip_shrinks_a_little_before_it_turns_pages() -> None:
    arrangement = arrange(meeting(6, speaker=1), SPEAKER)
    placed = place(arrangement, SPEAKER, 900, 650)
    assert placed.strip_pages == 1 and len(placed.boxes) == 6
    many = place(arrange(meeting(30, speaker=1), SPEAKER), SPEAKER, 900, 650)
    assert many.strip_pages > 1


@settings(max_examples=60)
@given(
    people=st.integers(1, 40),
    share=st.integers(0, 3),
    gallery=st.booleans(),
    page=st.integers(-2, 9),
    width=st.integers(1, 3000),
    height=st.integers(1, 2000),
)
def test_any_meeting_fits_any_window(
    people: int, share: int, gallery: bool, page: int, width: int, height: int
) -> None:
    state = meeting(people, share=share, speaker=1 if people > 1 else None)
    choices = Choices(layout=Layout.GALLERY if gallery else Layout.SPEAKER, page=page, strip_page=page)
    arrangement = arrange(state, choices)
    placed = place(arrangement, choices, width, height)
    everyone = [arrangement.stage, arrangement.overlay, *arrangement.strip, *arrangement.gallery]
    named = [key for key in everyone if key is not None]
    assert len(named) == len(set(named))
    if width >= 400 and height >= 250:
        for key, box in placed.boxes.items():
            assert key in named
            assert box.x >= 0 and box.y >= 0 and box.right <= width and box.bottom <= height


class TestSpeakerFollower:
    def test_a_cough_does_not_take_the_stage(self) -> None:
        follower = SpeakerFollower(1500)
        state = meeting(4)
        assert follower.observe(replace(state, dominant_speaker="p0000001"), 0) is None
        assert follower.current == "p0000001"
        assert follower.observe(replace(state, dominant_speaker="p0000002"), 100) == 1500
        follower.observe(replace(state, dominant_speaker="p0000001"), 600)
        assert follower.observe(replace(state, dominant_speaker="p0000002"), 1700) == 1500
        assert follower.current == "p0000001"

    def test_who_keeps_the_floor_takes_it(self) -> None:
        follower = SpeakerFollower(1500)
        state = meeting(4)
        follower.observe(replace(state, dominant_speaker="p0000001"), 0)
        follower.observe(replace(state, dominant_speaker="p0000002"), 100)
        assert follower.observe(replace(state, dominant_speaker="p0000002"), 1600) is None
        assert follower.current == "p0000002"

    def test_ourselves_and_silence_change_nothing(self) -> None:
        follower = SpeakerFollower(1500)
        state = meeting(4)
        follower.observe(replace(state, dominant_speaker="p0000001"), 0)
        for speaker in (LOCAL, None):
            follower.observe(replace(state, dominant_speaker=speaker), 5000)
        follower.observe(replace(state, dominant_speaker="p0000002", dominant_silent=True), 9000)
        assert follower.current == "p0000001"
