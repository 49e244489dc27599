from simulator.store import Store

# Of the webhooks, then of the messages and templates, then the limits. What is not named here is a chance from 0 to 1.
UNITS = {
    "delay": "seconds",
    "delay_spread": "seconds, on average, exponentially distributed",
    "batch": "updates per POST",
    "batch_wait": "seconds",
    "throughput": "messages per second and number",
    "pair_burst": "messages",
    "pair_every": "seconds",
    "review_after": "seconds until a submitted template is reviewed",
    "handle_lifetime": "hours that an uploaded sample can be used",
    "paced_first": "messages of a new marketing template before the others are held; 0 holds none",
    "held_for": "minutes that paced messages are held",
    "templates_per_account": "templates; 0 means Meta's 250, or 6,000 for a verified business",
    "creations_per_hour": "templates created in an account per hour",
}
DEFAULTS = {
    "duplicates": 0.0,
    "reorder": 0.0,
    "loss": 0.0,
    "delay": 0.0,
    "delay_spread": 0.0,
    "batch": 1.0,
    "batch_wait": 0.2,
    "drop_delivered": 0.0,
    "status_before_answer": 0.2,
    "reads_by_itself": 0.0,
    "refuse_at_once": 0.0,
    "edits_everywhere": 1.0,
    "flow_without_token": 0.0,
    "flow_twice": 0.0,
    "flow_impatience": 0.0,
    "parent_user_ids": 0.0,
    "url_in_webhooks": 1.0,
    "review_by_itself": 1.0,
    "review_after": 30.0,
    "review_before_answer": 0.0,
    "edit_stays_live": 0.0,
    "punctuation_after_variable": 1.0,
    "handle_lifetime": 24.0,
    "paced_first": 0.0,
    "held_for": 60.0,
    "templates_per_account": 0.0,
    "creations_per_hour": 100.0,
    "throughput": 80.0,
    "pair_burst": 45.0,
    "pair_every": 6.0,
    "code_before_session_info": 0.5,
    "report_as_error": 0.0,
    "code_missing": 0.0,
    "session_info_missing": 0.0,
    "credit_exhausted": 0.0,
    "clock_offset": 0.0,
}


class Knobs:
    """The adjustable behaviour of the simulator, stored so that it survives a restart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        turned = self.store.rows("select id, value from knobs")
        self._turned: dict[str, float] = {row["id"]: row["value"] for row in turned}

    def __getitem__(self, name: str) -> float:
        return self._turned.get(name, DEFAULTS[name])

    def __setitem__(self, name: str, value: float) -> None:
        if name not in DEFAULTS:
            raise KeyError(name)
        self.store.insert("knobs", replace=True, id=name, value=value)
        self._turned[name] = value

    def forget(self) -> None:
        """Resets every knob, without the store."""
        self._turned.clear()

    def all(self) -> dict[str, float]:
        """Every knob with its value."""
        return {name: self[name] for name in DEFAULTS}
