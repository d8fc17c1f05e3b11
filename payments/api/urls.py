"""Paths under /api/."""

from django.urls import path

from payments.api.views import accounts, disputes, funding, milestones, projects, timeline, withdrawals

urlpatterns = [
    path("projects", projects.ProjectsView.as_view(), name="projects"),
    path("projects/<int:project_id>", projects.ProjectView.as_view(), name="project"),
    path("projects/<int:project_id>/milestones", projects.MilestonesView.as_view(), name="project-milestones"),
    path("milestones/<int:milestone_id>", milestones.MilestoneView.as_view(), name="milestone"),
    path("milestones/<int:milestone_id>/deliver", milestones.DeliverView.as_view(), name="milestone-deliver"),
    path("milestones/<int:milestone_id>/approve", milestones.ApproveView.as_view(), name="milestone-approve"),
    path("milestones/<int:milestone_id>/refund", milestones.RefundView.as_view(), name="milestone-refund"),
    path("milestones/<int:milestone_id>/disputes", disputes.DisputesView.as_view(), name="milestone-disputes"),
    path("milestones/<int:milestone_id>/timeline", timeline.TimelineView.as_view(), name="milestone-timeline"),
    path("disputes/<int:dispute_id>/resolve", disputes.ResolveView.as_view(), name="dispute-resolve"),
    path("payments/", funding.PaymentsView.as_view(), name="payments"),
    path("withdrawals", withdrawals.WithdrawalsView.as_view(), name="withdrawals"),
    path("balances", withdrawals.BalancesView.as_view(), name="balances"),
    path("payout-account", accounts.PayoutAccountView.as_view(), name="payout-account"),
]
