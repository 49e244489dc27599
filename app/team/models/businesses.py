"""Creating a client business: its first owner, and its slug."""

from __future__ import annotations

import re
import secrets
import unicodedata
import uuid

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.tenancy import Membership, Role, Tenant, User, db, exists, global_scope, now, tenant_scope, uuid7
from app.tenancy.models import TenantSlug, UserTenant, admit, create_tenant, register

from .invitations import Invitation
from .people import in_this_scope

LONGEST_SLUG = 40
SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?")
RESERVED = set(
    """
    account admin api app assets billing business console demo help login mail meta new null platform privacy
    root settings sign-in sign-out sign-up static status support switchboard system team terms test undefined
    webhooks whatsapp www
    """.split()  # noqa: SIM905
)
# Letters that are not a plain one with an accent, and the two alphabets that need no dictionary.
SPELLING = """
æ=ae œ=oe ø=o đ=d ð=d ł=l þ=th ı=i &=-and-
а=a б=b в=v г=g ґ=g д=d е=e є=ye ж=zh з=z и=i і=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch
ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya
α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r σ=s τ=t υ=y φ=f χ=ch ψ=ps ω=o
"""
RESPELT = str.maketrans(dict(pair.split("=") for pair in SPELLING.split()))


def create_business(name: str, owner: User | None, *, slug: str = "") -> Tenant:
    """Creates a tenant and, if given, its first owner. The slug, if given, must be free."""
    made = Tenant(id=uuid7(), name=name)
    with tenant_scope(made.id):
        establish(made, owner, slug=slug)
    return made


def establish(tenant: Tenant, owner: User | None, *, slug: str = "") -> None:
    """Saves a new tenant, inside its scope, with a slug made of its name unless one is given."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("slugs", 0))))
    tenant.slug = slug or free_slug(tenant.name)
    if owner:
        create_tenant(tenant, in_this_scope(owner))
    else:
        register(tenant)


def has_owner(tenant: Tenant) -> bool:
    with tenant_scope(tenant.id):
        return exists(select(Membership.id).where(Membership.role == Role.OWNER))


def give_to(tenant: Tenant, owner: User) -> None:
    with tenant_scope(tenant.id):
        admit(in_this_scope(owner), Role.OWNER)


def invite_first_owner(tenant: Tenant, email: str) -> str:
    """Returns an invitation link for a tenant's first owner. No mail is sent."""
    with tenant_scope(tenant.id):
        invitation = Invitation.offer(email, Role.OWNER, by=None)
        invitation.mailed_at = now()
        return invitation.link


def free_slug(name: str) -> str:
    base = slug_of(name)
    if not base:
        return f"business-{secrets.token_hex(3)}"
    alike = select(TenantSlug.slug).where(TenantSlug.slug.startswith(base))
    taken = RESERVED | set(db.session.scalars(alike))
    number = 1
    while (slug := f"{base}-{number}" if number > 1 else base) in taken:
        number += 1
    return slug


def slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    spelt = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(RESPELT)
    return re.sub(r"[^a-z0-9]+", "-", spelt.replace("'", "").replace("’", ""))[:LONGEST_SLUG].strip("-")


def checked_slug(slug: str) -> str:
    if not SLUG.fullmatch(slug):
        raise ValueError(_("A slug is made of a-z, 0-9 and hyphens, at most 48 of them."))
    if slug in RESERVED:
        raise ValueError(_("The slug %(slug)s is reserved.", slug=slug))
    return slug


def with_slug(slug: str) -> Tenant | None:
    tenant_id = db.session.scalar(select(TenantSlug.tenant_id).where(TenantSlug.slug == slug))
    return tenant_with(tenant_id) if tenant_id else None


def businesses_of(user: User) -> list[Tenant]:
    """The tenants a person may enter, by name. Row security shows one tenant at a time."""
    with global_scope():
        ids = db.session.scalars(select(UserTenant.tenant_id).where(UserTenant.user_id == user.id)).all()
    return sorted(map(tenant_with, ids), key=lambda tenant: tenant.name.casefold())


def tenant_with(tenant_id: uuid.UUID) -> Tenant:
    with tenant_scope(tenant_id):
        return db.session.get_one(Tenant, tenant_id)
