"""What customers see of a number: profile, username, short links, commands and ice breakers."""

import json
import re
import secrets
from typing import Any

from simulator import pictures
from simulator.errors import GraphError, invalid
from simulator.graph.call import Call
from simulator.graph.edges import SUCCESS, Answer, edge
from simulator.graph.parameters import decode
from simulator.number_extras import Extras
from simulator.phone_numbers import PhoneNumber
from simulator.store import Row
from simulator.uploads import Upload

LIMITS = {"about": 139, "address": 256, "description": 512, "email": 128}
VERTICALS = (
    "ALCOHOL APPAREL AUTO BEAUTY EDU ENTERTAIN EVENT_PLAN FINANCE GOVT GROCERY HEALTH HOTEL NONPROFIT ONLINE_GAMBLING"
    " OTC_DRUGS OTHER PHYSICAL_GAMBLING PROF_SERVICES RESTAURANT RETAIL TRAVEL"
)
CODE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
USERNAME = re.compile(r"(?!www)(?!.*\.\.)(?=.*[a-z])[a-z0-9_][a-z0-9._]{1,33}[a-z0-9_]")
MOST_PROMPTS, MOST_COMMANDS = 4, 30
PICTURE = re.compile(r"qr_image_url\.format\((SVG|PNG)\)")


@edge(PhoneNumber, "GET", "whatsapp_business_profile")
def profile(call: Call, number: PhoneNumber) -> Answer:
    profile_fields = {"messaging_product": "whatsapp"} | Extras(number).object("profile")
    wanted = str(call.params.get("fields", "about")).split(",")
    return {"data": [{name: profile_fields[name] for name in ("messaging_product", *wanted) if name in profile_fields}]}


@edge(PhoneNumber, "POST", "whatsapp_business_profile")
def change_profile(call: Call, number: PhoneNumber) -> Answer:
    call.require("messaging_product")
    extras = Extras(number)
    profile_fields = extras.object("profile")
    for name, longest in LIMITS.items():
        if name in call.params:
            value = str(call.params[name])
            if len(value) > longest or (name == "about" and not value):
                raise invalid(f"Param {name} must be at most {longest} characters long.")
            profile_fields[name] = value
    if "vertical" in call.params:
        if call.params["vertical"] not in ("", *VERTICALS.split()):
            raise invalid("Param vertical must be one of the documented values.")
        profile_fields["vertical"] = call.params["vertical"]
    if "websites" in call.params:
        profile_fields["websites"] = _websites(call.params["websites"])
    if handle := call.params.get("profile_picture_handle"):
        profile_fields["profile_picture_url"] = _picture(call, str(handle))
    extras["profile"] = json.dumps(profile_fields)
    return SUCCESS


@edge(PhoneNumber, "POST", "message_qrdls")
def save_link(call: Call, number: PhoneNumber) -> Answer:
    text, code = str(call.require("prefilled_message")), str(call.params.get("code") or "")
    if len(text) > 140:
        raise invalid("Param prefilled_message must be at most 140 characters long.")
    if code:
        _own_link(call, number, code)
        call.world.store.write("update links set prefilled_message = ? where id = ?", text, code)
    else:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(14))
        now = call.world.clock.now()
        call.world.store.insert("links", id=code, phone_number_id=number.id, prefilled_message=text, created_at=now)
    drawn = str(call.params.get("generate_qr_image") or "").upper() or None
    if drawn not in (None, *pictures.FORMATS):
        raise invalid("Param generate_qr_image must be one of {SVG, PNG}")
    return _link(call, code, text) | ({"qr_image_url": pictures.qr_code(call.world, code, drawn)} if drawn else {})


@edge(PhoneNumber, "GET", "message_qrdls")
def list_links(call: Call, number: PhoneNumber) -> Answer:
    rows = call.world.store.rows("select * from links where phone_number_id = ? order by created_at", number.id)
    return {"data": [_link(call, row["id"], row["prefilled_message"]) for row in rows]}


def one_link(call: Call, number: PhoneNumber, code: str) -> Answer:
    """Answers with a list of one, as Meta does."""
    row = _own_link(call, number, code)
    return {"data": [_link(call, code, row["prefilled_message"])]}


def delete_link(call: Call, number: PhoneNumber, code: str) -> Answer:
    _own_link(call, number, code)
    call.world.store.write("delete from links where id = ?", code)
    return SUCCESS


def _own_link(call: Call, number: PhoneNumber, code: str) -> Row:
    link = call.world.store.row("select * from links where id = ? and phone_number_id = ?", code, number.id)
    if link is None:
        raise invalid("Param code is not a link of this phone number.")
    return link


@edge(PhoneNumber, "POST", "conversational_automation")
def automate(call: Call, number: PhoneNumber) -> Answer:
    prompts, commands = (decode(call.params.get(name)) or [] for name in ("prompts", "commands"))
    commands = [decode(command) for command in commands]
    if len(prompts) > MOST_PROMPTS or any(len(prompt) > 80 for prompt in prompts):
        raise invalid("Param prompts must be at most 4 of at most 80 characters.")
    if len(commands) > MOST_COMMANDS or any(len(one["command_name"]) > 32 for one in commands):
        raise invalid("Param commands must be at most 30 with names of at most 32 characters.")
    Extras(number)["automation"] = json.dumps({"prompts": prompts, "commands": commands})
    return SUCCESS


@edge(PhoneNumber, "GET", "username")
def username(_: Call, number: PhoneNumber) -> Answer:
    return {"username": Extras(number)["username"]}


@edge(PhoneNumber, "POST", "username")
def take_username(call: Call, number: PhoneNumber) -> Answer:
    wanted = str(call.require("username"))
    if not USERNAME.fullmatch(wanted):
        raise GraphError(147001, "The username is not valid.")
    sql = "select 1 from number_extras where username = ? and phone_number_id != ?"
    if call.world.store.row(sql, wanted, number.id):
        raise GraphError(147002, "The username is not available.")
    Extras(number)["username"] = wanted
    return {"status": "approved"}


@edge(PhoneNumber, "DELETE", "username")
def give_up_username(_: Call, number: PhoneNumber) -> Answer:
    Extras(number)["username"] = None
    return SUCCESS


def _websites(addresses: Any) -> list[str]:
    if not isinstance(addresses, list) or len(addresses) > 2:
        raise invalid("Param websites must be an array of at most 2.")
    if any(not re.match(r"https?://", str(one)) or len(str(one)) > 256 for one in addresses):
        raise invalid("Param websites must start with http:// or https://.")
    return [str(one) for one in addresses]


def _picture(call: Call, handle: str) -> str:
    upload = Upload.with_handle(call.world, handle)
    if upload is None:
        raise invalid("Param profile_picture_handle is not a handle.")
    return pictures.profile_picture(call.world, upload.id)


def _link(call: Call, code: str, text: str) -> dict[str, str]:
    """Describes a link, with its QR code if `fields` contains `qr_image_url.format(SVG)`."""
    link = {"code": code, "prefilled_message": text, "deep_link_url": f"https://wa.me/message/{code}"}
    if wanted := PICTURE.search(str(call.params.get("fields", ""))):
        link["qr_image_url"] = pictures.qr_code(call.world, code, wanted[1])
    return link
