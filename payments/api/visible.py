"""What who asks may see: their own projects; staff see all. What they may not see is not there (404)."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from payments.models import Dispute, Milestone, Project
from payments.refusals import Refused
from payments.roles import Person, is_staff


def projects(person: Person) -> QuerySet[Project]:
    """Newest first."""
    mine = Q() if is_staff(person) else Q(client_id=person.pk) | Q(freelancer_id=person.pk)
    return Project.objects.filter(mine)


def project(person: Person, project_id: int) -> Project:
    """Raises Refused (no_such_project)."""
    found = projects(person).filter(pk=project_id).first()
    if found is None:
        raise Refused("no_such_project", "There is no such project.")
    return found


def milestone(person: Person, milestone_id: int) -> Milestone:
    """With its project. Raises Refused (no_such_milestone)."""
    among = Milestone.objects.select_related("project").filter(project__in=projects(person))
    found = among.filter(pk=milestone_id).first()
    if found is None:
        raise Refused("no_such_milestone", "There is no such milestone.")
    return found


def dispute(person: Person, dispute_id: int) -> Dispute:
    """Raises Refused (no_such_dispute)."""
    found = Dispute.objects.filter(pk=dispute_id, milestone__project__in=projects(person)).first()
    if found is None:
        raise Refused("no_such_dispute", "There is no such dispute.")
    return found
