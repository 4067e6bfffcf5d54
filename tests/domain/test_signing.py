"""What a signature can mean, the table of its ceremony, and what a signer is shown."""

import pytest

from domain.policy import Policy
from domain.signing import CEREMONY, MEANING_ZH, CeremonyEvent, CeremonyState, Meaning, changed

S, E = CeremonyState, CeremonyEvent


@pytest.mark.accepts("ES-01")
def test_the_meanings_are_the_controlled_list_in_both_languages() -> None:
    listed = "performed verified reviewed approved released certified rejected witnessed withdrawn authored"
    assert [str(meaning) for meaning in Meaning] == listed.split()
    assert MEANING_ZH.keys() == set(Meaning)


@pytest.mark.accepts("ES-05")
def test_a_ceremony_goes_one_way_and_ends() -> None:
    ways = {(state, event): CEREMONY.transitions.get((state, event)) for state in S for event in E}
    assert {key: target for key, target in ways.items() if target is not None} == {
        (S.REQUESTED, E.AUTHENTICATE): S.AUTHENTICATED, (S.AUTHENTICATED, E.EXECUTE): S.EXECUTED,
        (S.REQUESTED, E.FAIL): S.FAILED, (S.AUTHENTICATED, E.FAIL): S.FAILED, (S.REQUESTED, E.EXPIRE): S.EXPIRED,
    }  # fmt: skip
    assert [state for state in S if CEREMONY.is_final(state)] == [S.EXECUTED, S.FAILED, S.EXPIRED]


def test_what_changed_is_named_with_old_and_new() -> None:
    assert changed({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == {"b": ("2", "3"), "c": ("", "4")}


def test_an_old_policy_asks_for_nothing_new() -> None:
    policy = Policy(code="old", signatures={"approveOrder": "approved"})
    assert (policy.second_signatures, policy.second_factor, policy.signature_shows_content) == ({}, (), False)
    assert policy.signature_strict
