"""The statements behind :mod:`.directory`: each does its step for all rows of a range at once.

``%(batch)s``, ``%(first)s`` and ``%(last)s`` name the range; ``row`` is a staged row.
"""

COPY = """
COPY ambassadors_directoryrow (batch, line, external_id, email, email_normalised, name, job_title,
       site_key, language, timezone, outcome, why, detail, done) FROM STDIN
"""

# Both lines of a pair are refused, and each names the other.
TWINS = tuple(
    """
UPDATE ambassadors_directoryrow row SET outcome = 'refused', why = 'WHY',
       detail = CASE WHEN row.line = twin.first THEN twin.last ELSE twin.first END
  FROM (SELECT COLUMN AS value, min(line) AS first, max(line) AS last
          FROM ambassadors_directoryrow WHERE batch = %(batch)s AND why = '' AND COLUMN <> ''
         GROUP BY 1 HAVING count(*) > 1) twin
 WHERE row.batch = %(batch)s AND row.why = '' AND row.COLUMN = twin.value
""".replace("COLUMN", column).replace("WHY", why)
    for column, why in (("external_id", "twice_id"), ("email_normalised", "twice_mail"))
)

# What a person is once the row is applied: what it does not say stays.
_SAID = """
row.email, CASE WHEN row.external_id <> '' OR %(fixed)s THEN row.external_id
                  ELSE person.external_id END,
       coalesce(row.name, person.name), coalesce(row.job_title, person.job_title),
       CASE WHEN row.site_key IS NULL THEN person.site_id ELSE nullif(row.site_key, 0) END,
       coalesce(row.language, person.language), coalesce(row.timezone, person.timezone)"""

PLAN = """
WITH met AS (
  SELECT row.id, person.id AS person,
         CASE WHEN by_mail.id <> person.id OR by_id.id <> person.id
                OR (NOT %(fixed)s AND row.external_id <> ''
                    AND person.external_id NOT IN ('', row.external_id)) THEN 'taken'
              WHEN person.email_normalised <> row.email_normalised AND EXISTS (
                   SELECT FROM ambassadors_role role WHERE role.person_id = person.id
                      AND role.name = ANY(%(guarded)s)) THEN 'guarded'
              WHEN person.id IS NULL AND row.name IS NULL THEN 'no_name'
              ELSE '' END AS why,
         CASE WHEN person.id IS NULL THEN 'new'
              WHEN %(returns)s AND person.left_at IS NOT NULL THEN 'returns'
              WHEN (SAID) IS DISTINCT FROM
                   (person.email, person.external_id, person.name, person.job_title,
                    person.site_id, person.language, person.timezone) THEN 'changed'
              ELSE 'same' END AS outcome
    FROM ambassadors_directoryrow row
    LEFT JOIN ambassadors_person by_id
           ON row.external_id <> '' AND by_id.external_id = row.external_id
    LEFT JOIN ambassadors_person by_mail ON by_mail.email_normalised = row.email_normalised
    LEFT JOIN ambassadors_person person
           ON person.id = coalesce(CASE WHEN %(fixed)s THEN row.person_key END,
                                   by_id.id, by_mail.id)
   WHERE row.batch = %(batch)s AND row.id BETWEEN %(first)s AND %(last)s
     AND row.outcome <> 'leaves' AND NOT row.done
     AND (row.outcome <> 'refused' OR row.why IN ('taken', 'guarded', 'no_name')))
UPDATE ambassadors_directoryrow row
   SET person_key = met.person, why = met.why,
       outcome = CASE met.why WHEN '' THEN met.outcome ELSE 'refused' END
  FROM met WHERE met.id = row.id
   AND (row.person_key, row.why, row.outcome) IS DISTINCT FROM
       (met.person, met.why, CASE met.why WHEN '' THEN met.outcome ELSE 'refused' END)
""".replace("SAID", _SAID)

ABSENT = """
INSERT INTO ambassadors_directoryrow (batch, line, external_id, email, email_normalised,
            person_key, outcome, why, detail, done)
SELECT %(batch)s, 0, '', '', '', person.id, 'leaves', '', '', false
  FROM ambassadors_person person
 WHERE left_at IS NULL AND NOT EXISTS (
       SELECT FROM ambassadors_directoryrow row
        WHERE row.batch = %(batch)s AND row.person_key = person.id)
"""

_RANGE = "row.batch = %(batch)s AND row.id BETWEEN %(first)s AND %(last)s AND NOT row.done"
_CHANGED = f"{_RANGE} AND row.outcome IN ('changed', 'returns')"
_RETURNED = f"{_RANGE} AND row.outcome = 'returns'"
_MOVED = (
    f"person.id = row.person_key AND {_CHANGED} AND person.email_normalised <> row.email_normalised"
)


def _of(text: str) -> str:
    """Write out the ranges."""
    for name, where in (
        ("RANGE", _RANGE), ("CHANGED", _CHANGED), ("RETURNED", _RETURNED), ("MOVED", _MOVED),
    ):  # fmt: skip
        text = text.replace(f"<{name}>", where)
    return text


# COLUMNS and VALUES are written by the caller, who knows the model.
NEW = _of("""
WITH made AS (
  INSERT INTO ambassadors_person (COLUMNS)
  SELECT VALUES FROM ambassadors_directoryrow row
    LEFT JOIN ambassadors_site site ON site.id = row.site_key
   WHERE <RANGE> AND row.outcome = 'new'
  ON CONFLICT DO NOTHING RETURNING id, email, email_normalised),
addressed AS (
  INSERT INTO account_emailaddress (email, verified, "primary", user_id)
  SELECT lower(email), true, true, id FROM made ON CONFLICT DO NOTHING)
UPDATE ambassadors_directoryrow row SET person_key = made.id, done = true FROM made
 WHERE <RANGE> AND row.outcome = 'new' AND row.email_normalised = made.email_normalised
""")

_NOTE = """
INSERT INTO ambassadors_auditentry (at, actor_id, act, subject, subject_id, reason, facts)
SELECT %(now)s, %(by)s, 'ACT', 'ambassadors.person', row.person_key, '', '{}'
  FROM ambassadors_directoryrow row, ambassadors_person person
 WHERE person.id = row.person_key AND """

CHANGES = (
    _of(_NOTE.replace("ACT", "directory.mail_changed") + "<MOVED>"),
    _of("""
DELETE FROM account_emailaddress old USING ambassadors_directoryrow row, ambassadors_person person
 WHERE old.user_id = person.id AND <MOVED>"""),
    _of("""
UPDATE ambassadors_person person
   SET email_normalised = row.email_normalised,
       (email, external_id, name, job_title, site_id, language, timezone) = ROW(SAID),
       left_at = CASE row.outcome WHEN 'returns' THEN NULL ELSE person.left_at END,
       leaves_on = CASE row.outcome WHEN 'returns' THEN NULL ELSE person.leaves_on END,
       is_staff = row.outcome <> 'returns' AND person.is_staff,
       is_superuser = row.outcome <> 'returns' AND person.is_superuser,
       is_active = row.outcome = 'returns' OR person.is_active
  FROM ambassadors_directoryrow row WHERE person.id = row.person_key AND <CHANGED>""").replace(
        "SAID", _SAID
    ),
    _of("""
INSERT INTO account_emailaddress (email, verified, "primary", user_id)
SELECT lower(row.email), true, true, row.person_key FROM ambassadors_directoryrow row
 WHERE <CHANGED> AND NOT EXISTS (SELECT FROM account_emailaddress old
                                  WHERE old.user_id = row.person_key AND old."primary")
   AND EXISTS (SELECT FROM ambassadors_person person
                WHERE person.id = row.person_key AND person.left_at IS NULL)
ON CONFLICT DO NOTHING"""),
    _of(_NOTE.replace("ACT", "person.returned") + "<RETURNED>"),
    _of("""
DELETE FROM ambassadors_role role USING ambassadors_directoryrow row
 WHERE role.person_id = row.person_key AND <RETURNED>"""),
    # Somebody else was quicker with the address or the id: nobody was made for this row.
    _of("""
UPDATE ambassadors_directoryrow row SET done = true,
       why = CASE outcome WHEN 'new' THEN 'taken' ELSE why END,
       outcome = CASE outcome WHEN 'new' THEN 'refused' ELSE outcome END
 WHERE <RANGE> AND row.outcome <> 'leaves'"""),
)
