"""The action table: keys, footer, help, palette, documentation and verbs are made from it."""

from __future__ import annotations

from mspterm.domain.spec import ActionSpec, Param, Risk

TEXT = Param("text", "Text", "text")
AUDIENCE = Param("audience", "Read by", "choice", choices=("internal", "public", "resolution", "co-managed"))
MINUTES = Param("minutes", "Minutes", "minutes")
STATUS = Param("status", "Status", "status")
OWNER = Param("owner", "Owner", "technician")
PRIORITY = Param("priority", "Priority", "priority")
QUEUE = Param("queue", "Queue", "queue")
NEXT = Param("next", "Next action", "date")
MAIL = Param("mail", "Mail", "choice", choices=("as usual", "mail", "no mail"))

# The sixth word is what the connection's manifest must be able to do, not the action's own name: a call
# or a check of the caller is a note to every PSA.
ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("claim", "Claim", "c", "ticket", Risk.ROUTINE, "assign", "Take it: owner, and work begins", many=True),
    ActionSpec(
        "update", "Update", "u", "ticket", Risk.ROUTINE, "note", "Text, time, status, owner, next date in one go",
        many=True, params=(TEXT, AUDIENCE, MAIL, MINUTES, STATUS, OWNER, PRIORITY, QUEUE, NEXT),
    ),
    ActionSpec(
        "note", "Note", "n", "ticket", Risk.ROUTINE, "note", "An internal note: technicians only", many=True,
        params=(Param("text", "Text", "text", required=True), MINUTES),
    ),
    ActionSpec(
        "reply", "Reply", "r", "ticket", Risk.ROUTINE, "reply", "A text that the client reads", many=True,
        params=(Param("text", "Text", "text", required=True), MAIL, MINUTES, STATUS),
    ),
    ActionSpec(
        "status", "Status", "s", "ticket", Risk.ROUTINE, "status", "Set the status", many=True,
        params=(Param("status", "Status", "status", required=True),),
    ),
    ActionSpec(
        "assign", "Assign", "a", "ticket", Risk.ROUTINE, "assign", "Give it to a technician, or to nobody", many=True,
        params=(Param("owner", "Owner", "technician", required=True),),
    ),
    ActionSpec(
        "time", "Time", "t", "ticket", Risk.ROUTINE, "time", "Book minutes", many=True,
        params=(Param("minutes", "Minutes", "minutes", required=True),),
    ),
    ActionSpec(
        "escalate", "Escalate", "e", "ticket", Risk.ROUTINE, "escalate", "To another tier or queue, with a handoff",
        params=(
            Param("to", "To", "queue", required=True),
            Param("reason", "Why", "line"),
            Param("number", "Vendor's case", "line"),
            Param("text", "Handoff", "text", required=True),
        ),
    ),
    ActionSpec(
        "call", "Log call", "L", "ticket", Risk.ROUTINE, "note", "Whom you called and what came of it, as a note",
        params=(
            Param("whom", "Whom", "line", required=True),
            Param("number", "Number", "line"),
            Param("result", "Result", "choice", required=True, choices=("reached", "voicemail", "busy", "no answer")),
            Param("text", "What was said", "text"),
        ),
    ),
    ActionSpec(
        "parent", "Parent", "P", "ticket", Risk.ROUTINE, "parent", "One parent for a storm: one text, silent children",
        many=True,
        params=(
            Param("parent", "Parent", "choice", required=True), Param("contact", "Contact", "line"),
            TEXT, AUDIENCE, MAIL,
        ),
    ),
    ActionSpec(
        "cleared", "Alert cleared", "K", "ticket", Risk.ROUTINE, "note",
        "Its alert has cleared: comment, and close what no human touched", many=True,
    ),
    ActionSpec(
        "incident", "Incident", "!", "ticket", Risk.ROUTINE, "note", "Suspected security incident: devices stay as is",
        params=(Param("switch", "Switch", "choice", required=True, choices=("on", "off")),),
    ),
    ActionSpec(
        "verify", "Verify caller", "Y", "ticket", Risk.ROUTINE, "note", "How the caller was verified, as a note",
        params=(
            Param("method", "Method", "choice", required=True, choices=("call back", "code", "in person", "manager")),
            Param("number", "Number on file", "line"),
            Param("result", "Result", "choice", required=True, choices=("passed", "failed")),
        ),
    ),
    ActionSpec(
        "new", "New ticket", "N", "none", Risk.ROUTINE, "new", "A ticket from a call, an alert or what you see",
        params=(
            Param("client", "Client", "client", required=True),
            Param("summary", "Summary", "line", required=True),
            TEXT,
            Param("contact", "Contact", "line"),
            Param("device", "Device", "line"),
            QUEUE,
            PRIORITY,
        ),
    ),
    ActionSpec(
        "run", "Run command", "x", "device", Risk.DISRUPTIVE, "run", "A command on the device, output into the ticket",
        many=True, params=(
            Param("command", "Command", "line"),
            Param("script", "Or script", "choice"),
            Param("parameters", "Its parameters", "line"),
            Param("shell", "Shell", "choice", choices=("auto", "sh", "powershell", "cmd")),
            Param("run_as", "Run as", "choice", choices=("system", "user")),
            Param("attach", "Attach output to", "line"),
        ),
    ),
    ActionSpec("reboot", "Reboot", "B", "device", Risk.DISRUPTIVE, "reboot", "Restart the device", many=True),
    ActionSpec("ssh", "SSH", "S", "device", Risk.DISRUPTIVE, "ssh", "A shell on it, through its client's jump host"),
    ActionSpec(
        "terminal", "Terminal", "T", "device", Risk.DISRUPTIVE, "terminal", "A shell on it, by its RMM",
        params=(
            Param("shell", "Shell", "choice", choices=("auto", "sh", "powershell", "cmd")),
            Param("run_as", "Run as", "choice", choices=("system", "user")),
            Param("attach", "For the ticket", "line"),
        ),
    ),
)  # fmt: skip

BY_NAME = {spec.name: spec for spec in ACTIONS}
