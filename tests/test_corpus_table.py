"""Where each case of the corpus of bad inputs is tried, or why no door of ours takes it (G16)."""

import ast
from pathlib import Path

import pytest

from .corpus import cases

HERE = Path(__file__).parent

# Families whose every case is a parameter of these tests.
WHOLE = {
    "text": "test_bad_texts::test_text_of_the_corpus test_bad_issues::test_strange_text_is_kept_or_refused_with_a_sentence"
    " test_bad_questions::test_text_of_the_corpus_is_kept_as_typed_or_refused_at_its_field"
    " test_writing::test_text_case_through_the_editor test_speakers::test_bad_titles_are_kept_clean_or_refused"
    " test_board::test_search_of_the_corpus_is_answered test_api::test_texts_of_the_corpus",
    "name": "test_bad_requests::test_name_of_the_corpus",
    "email": "test_bad_requests::test_address_of_the_corpus test_bad_requests::test_address_of_the_corpus_from_the_directory",
    "password": "test_bad_requests::test_password_of_the_corpus",
    "datetime": "test_bad_datetimes::test_moment_of_the_corpus test_training::test_moment_of_the_corpus_is_a_date_or_a_sentence"
    " test_bad_issues::test_strange_moment_publishes_nothing_and_gets_a_sentence test_calendar::test_moment_of_the_shared_list_is_refused",
    "number": "test_bad_requests::test_number_of_the_corpus test_api::test_numbers_of_the_corpus",
    "ssrf": "test_safe_fetch::test_address_of_the_corpus test_safe_fetch::test_server_of_the_corpus test_wire::test_address_is_judged_as_wanted"
    " test_webhooks::test_addresses_of_the_corpus_are_never_registered test_fuzz::test_no_bent_address_reaches_inside",
    "redirect": "test_bad_requests::test_login_leads_to_no_other_origin",
    "csv_import": "test_people_import::test_corpus_of_files",
    "csv_export": "test_spreadsheets::test_no_cell_of_any_file_is_a_formula",
    "html_feed": "test_bad_feeds::test_html_of_a_stranger_is_text test_guidelines::test_foreign_html_stays_text"
    " test_markup::test_foreign_html_is_text test_foreign_text_walk::test_no_script_of_a_stranger_runs_on_any_page",
    "feed_xml": "test_bad_feeds::test_feed_of_the_corpus test_bad_feeds::test_source_that_turns_bad_is_kept_and_asked_less",
    "upload": "test_bad_uploads::test_upload_of_the_corpus test_ideas::test_pictures_of_the_corpus test_lessons::test_upload_of_the_corpus_is_no_film",
    "json": "test_api::test_bodies_of_the_corpus",
    "http": "test_bad_requests::test_request_of_the_corpus",
    "search": "test_bad_requests::test_search_of_the_corpus test_api::test_words_of_the_corpus_are_no_filter",
}  # fmt: skip

# Scenes: each case with the test that plays it.
SCENES = {
    "name-025": "test_bad_uploads::test_name_of_a_file_is_kept_nowhere",
    "name-026": "test_bad_uploads::test_name_of_a_file_is_kept_nowhere",
    "http-005": "test_bad_requests::test_address_that_a_visitor_claims_skips_no_limit",
    "redirect-019": "test_links::test_only_web_addresses_get_a_link",
    "redirect-020": "test_links::test_query_changes_nothing",
    "datetime-004": "test_bad_datetimes::test_nine_o_clock_stays_nine_o_clock_over_both_changes",
    "datetime-005": "test_bad_datetimes::test_both_nights_of_every_zone_are_read_without_an_error",
    **{f"oauth-{n:03}": "test_connect::test_every_case_of_the_corpus_is_played"
       for n in (1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17)},
    "network_answer-001": "networks/test_cases::test_server_that_is_gone_is_not_sent",
    "network_answer-002": "networks/test_cases::test_ambiguous_answer_is_unknown_and_a_repeat_makes_one_post",
    "network_answer-004": "networks/test_cases::test_ambiguous_answer_is_unknown_and_a_repeat_makes_one_post",
    "network_answer-005": "networks/test_cases::test_ambiguous_answer_is_unknown_and_a_repeat_makes_one_post",
    "network_answer-007": "networks/test_cases::test_ambiguous_answer_is_unknown_and_a_repeat_makes_one_post",
    "network_answer-010": "networks/test_cases::test_ambiguous_answer_is_unknown_and_a_repeat_makes_one_post",
    "network_answer-011": "networks/test_cases::test_ambiguous_answer_is_unknown_and_a_repeat_makes_one_post",
    "network_answer-013": "test_publishing::test_ended_session_is_refreshed_once_then_published",
    "network_answer-014": "test_publishing::test_session_that_stays_ended_asks_the_person",
    "network_answer-008": "test_wire::test_second_answer_on_one_connection_is_never_read",
    "network_answer-016": "networks/test_linkedin::test_duplicate_after_an_ambiguous_try_is_evidence_to_look_at",
    "network_answer-017": "networks/test_bluesky::test_key_that_another_text_has_taken_is_looked_at_and_nothing_is_overwritten",
    "network_answer-019": "networks/test_cases::test_moved_server_is_not_followed",
    "network_answer-023": "test_publishing::test_id_of_another_post_proves_nothing",
    "network_answer-025": "test_tokens::test_race_for_one_token_presents_each_once",
    "click-001": "test_clicks::test_only_a_person_who_opens_the_page_counts",
    "click-002": "test_clicks::test_of_a_thousand_machines_none_and_of_a_thousand_browsers_nearly_all_count",
    "click-004": "test_clicks::test_only_a_person_who_opens_the_page_counts",
    "click-005": "test_clicks::test_visitor_counts_once_a_day_for_each_link",
    "click-007": "test_clicks::test_machines_are_told_from_browsers_by_their_names",
    "click-008": "test_clicks::test_only_a_person_who_opens_the_page_counts",
    "click-010": "test_clicks::test_one_network_that_invents_browsers_counts_only_so_often",
    "click-011": "test_clicks::test_only_a_person_who_opens_the_page_counts",
    "click-014": "test_clicks::test_only_a_person_who_opens_the_page_counts",
    "click-013": "test_clicks::test_hashes_cannot_be_computed_again_the_next_day",
    "click-016": "test_links::test_other_methods_do_nothing",
    "analytics-001": "test_pages::test_small_groups_are_not_shown",
    "analytics-002": "test_anonymity::test_pairs_of_answers_tell_on_no_fewer_than_five",
    "analytics-004": "test_months::test_nothing_is_told_of_a_handful",
    "analytics-007": "test_agreement::test_auditors_and_others_turn_nothing",
    "analytics-008": "test_erasure::test_nothing_of_fifty_words_is_left_anywhere",
    "org-001": "test_endings::test_no_first_byte_after_leaving_has_answered",
    "org-002": "test_scim::test_the_same_post_twice_conflicts_and_makes_nobody_twice",
    "org-004": "test_roles::test_role_is_taken_and_closes_its_rooms_at_once",
    "org-005": "test_roles::test_last_administrator_stays",
    "org-007": "test_reviews::test_stale_version_is_not_approved",
    "org-008": "test_reviews::test_two_curators_in_the_same_second_give_one_look",
    "webhook-001": "test_webhooks::test_what_is_not_ours_is_refused",
    "webhook-002": "test_webhooks::test_clocks_may_differ_by_five_minutes",
    "webhook-004": "test_webhooks::test_secret_changes_with_both_signing_for_a_day",
    "webhook-005": "test_webhooks::test_what_is_not_ours_is_refused",
    "webhook-007": "test_webhooks::test_signature_is_that_of_the_specification",
    "webhook-008": "test_webhooks::test_gone_is_off_at_once",
}  # fmt: skip

# No door of ours takes it, or the case says two things at once.
NO_DOOR = {
    "datetime-020": "no imported list has a date",
    "datetime-022": "no imported list has a date; and the case wants it both refused and read",
    "datetime-026": "figures are told of closed months, so no report has a span",
    "feed_xml-010": "wants the feed refused for one bad link: the item is left out, the feed read",
    "feed_xml-013": "wants 50,000 items both refused and the newest kept: the newest are kept",
    "network_answer-020": "a deletion is asked once, by its person, and the network's word counts",
    "network_answer-022": "a time in an answer only ends a search; what is kept is our own",
    "network_answer-026": "an hour is no test: `make goals GOALS=outage`, docs/reliability.md",
    "analytics-005": "no list is in the order of a figure that is not told",
}


def nodes():
    """Every test there is, as ``file::name``."""
    return {
        f"{path.relative_to(HERE).with_suffix('')}::{node.name}"
        for path in HERE.rglob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


def test_named_tests_exist():
    named = {name for names in WHOLE.values() for name in names.split()} | set(SCENES.values())
    assert named - nodes() == set()


def test_every_case_has_a_door_or_a_reason():
    found = [p.values[0] for p in cases() if p.values[0]]
    if not found:
        pytest.skip("../shared is not beside this checkout")
    homeless = [
        c["id"] for c in found if c["group"] not in WHOLE and c["id"] not in SCENES | NO_DOOR
    ]
    unknown = (SCENES | NO_DOOR).keys() - {c["id"] for c in found}
    assert (homeless, sorted(unknown), len(found)) == ([], [], 366)
