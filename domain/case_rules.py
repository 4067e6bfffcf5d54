"""What a policy says about the cases that are led by processes of their own, frozen into each of them."""

from domain.base import Message
from domain.policy import Policy


class CaseRules(Message):
    """What the policy says about cases, frozen into each. Durations in seconds; signatures as in `Policy`."""

    classification_seconds: int = 8 * 3600
    escalation_seconds: int = 8 * 3600
    closing_seconds: int = 30 * 24 * 3600
    signatures: dict[str, str] = {}
    second_signatures: dict[str, str] = {}
    signature_shows_content: bool = False
    signature_strict: bool = True
    second_factor: tuple[str, ...] = ()


def signing_policy(rules: CaseRules) -> Policy:
    """How commands to a case are signed: in the same way as commands to an order of the same policy."""
    return Policy(
        code="",
        signatures=rules.signatures,
        second_signatures=rules.second_signatures,
        signature_shows_content=rules.signature_shows_content,
        signature_strict=rules.signature_strict,
        second_factor=rules.second_factor,
    )


def rules_of(policy: Policy) -> CaseRules:
    """What a policy says about cases."""
    return CaseRules(
        classification_seconds=policy.deviation_classification_seconds,
        escalation_seconds=policy.deviation_escalation_seconds,
        closing_seconds=policy.deviation_closing_seconds,
        signatures=policy.signatures,
        second_signatures=policy.second_signatures,
        signature_shows_content=policy.signature_shows_content,
        signature_strict=policy.signature_strict,
        second_factor=policy.second_factor,
    )
