from libra_schemas.events import MODELS
from libra_schemas.render.markdown import BEGIN, END, events_page, filled, short_table


def test_the_page_has_a_row_for_every_event() -> None:
    page = events_page()
    assert all(f"\n| `{event_type}` |" in page for event_type in MODELS)
    assert "| `conn.sync` | `all` or `<instance>` | ipvs-writer | `sync` |" in page


def test_the_short_table_has_a_row_for_every_family() -> None:
    row = "| `backend` `.up` `.down` `.weight` `.held` `.seen` | `<service>.<backend>` | health |"
    assert row in short_table().splitlines()
    assert "| what is acted on | console |" in short_table()


def test_the_table_goes_between_the_markers_and_nowhere_else() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert filled(text) == f"before\n{BEGIN}\n{short_table()}{END}\nafter\n"
    assert filled(filled(text)) == filled(text)


def test_a_text_without_markers_stays_as_it_is() -> None:
    assert filled("nothing here") == "nothing here"
    assert filled(f"{BEGIN} only") == f"{BEGIN} only"
