"""What people get to see, as JSON. Amounts are minor units; beside each stands how a person writes it."""

from payments.api.answers.base import Shown, shown
from payments.api.answers.disputes import DisputeAnswer, ResolvedAnswer
from payments.api.answers.escrow import MilestoneAnswer, MilestoneLine, NextAction, ProjectAnswer, ProjectLine, Projects
from payments.api.answers.money import (
    BalanceLine,
    Balances,
    OnboardingAnswer,
    OperationAnswer,
    PaymentAnswer,
    PayoutAccountAnswer,
    RequestedAnswer,
    Withdrawals,
)
from payments.api.answers.timeline import LinkLine, Timeline, TimelineLine

__all__ = [
    "BalanceLine",
    "Balances",
    "DisputeAnswer",
    "LinkLine",
    "MilestoneAnswer",
    "MilestoneLine",
    "NextAction",
    "OnboardingAnswer",
    "OperationAnswer",
    "PaymentAnswer",
    "PayoutAccountAnswer",
    "ProjectAnswer",
    "ProjectLine",
    "Projects",
    "RequestedAnswer",
    "ResolvedAnswer",
    "Shown",
    "Timeline",
    "TimelineLine",
    "Withdrawals",
    "shown",
]
