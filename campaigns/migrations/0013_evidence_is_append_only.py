"""The database writes the evidence, keeps it, and knows the rules of approval."""

from django.db import migrations

# Rows of people and time that nobody may change afterwards.
FORBID = """
CREATE FUNCTION is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is never changed', TG_TABLE_NAME; END $$;

CREATE TRIGGER approval_append_only BEFORE UPDATE OR DELETE ON campaigns_approval
FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER evidence_append_only BEFORE UPDATE ON campaigns_evidence
FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER evidence_stays BEFORE DELETE ON campaigns_evidence
FOR EACH ROW WHEN (OLD.keep_until > current_date) EXECUTE FUNCTION is_append_only();
CREATE TRIGGER disclosure_rule_append_only BEFORE UPDATE OR DELETE ON campaigns_disclosurerule
FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER disclosure_table_stays BEFORE DELETE ON campaigns_disclosuretable
FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER disclosure_table_decided BEFORE UPDATE ON campaigns_disclosuretable
FOR EACH ROW WHEN (OLD.in_force_at IS NOT NULL OR OLD.dropped_at IS NOT NULL
                   OR (NEW.version, NEW.note, NEW.proposed_by_id, NEW.proposed_at)
                      IS DISTINCT FROM (OLD.version, OLD.note, OLD.proposed_by_id, OLD.proposed_at))
EXECUTE FUNCTION is_append_only();

CREATE FUNCTION disclosure_rule_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM campaigns_disclosuretable
    WHERE id = NEW.table_id AND in_force_at IS NULL AND dropped_at IS NULL FOR SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'table % is decided', NEW.table_id; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER disclosure_rule_in_time BEFORE INSERT ON campaigns_disclosurerule
FOR EACH ROW EXECUTE FUNCTION disclosure_rule_in_time();
"""
# Four eyes: not the author, not who saved this revision; nobody for an older text.
APPROVE = """
CREATE FUNCTION approval_is_of_another() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
  SELECT author_id, changed_by_id, revision INTO s FROM campaigns_suggestion
   WHERE id = NEW.suggestion_id FOR UPDATE;
  IF s.revision <> NEW.revision THEN
    RAISE EXCEPTION 'suggestion % is at revision %', NEW.suggestion_id, s.revision;
  END IF;
  IF (NEW.person_id = s.author_id OR NEW.person_id IS NOT DISTINCT FROM s.changed_by_id)
     AND (NEW.kind = 'legal'
          OR NOT EXISTS (SELECT FROM campaigns_programme WHERE id = 1 AND NOT two_person_review))
  THEN RAISE EXCEPTION 'nobody approves what they wrote'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_is_of_another BEFORE INSERT ON campaigns_approval
FOR EACH ROW EXECUTE FUNCTION approval_is_of_another();

CREATE FUNCTION suggestion_was_looked_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM campaigns_approval WHERE kind = 'editorial'
                    AND suggestion_id = NEW.id AND revision = NEW.revision)
     OR (NEW.content_class IN ('product', 'political')
         AND NOT EXISTS (SELECT FROM campaigns_approval WHERE kind = 'legal'
                            AND suggestion_id = NEW.id AND revision = NEW.revision)) THEN
    RAISE EXCEPTION 'revision % of suggestion % was not approved', NEW.revision, NEW.id;
  END IF;
  IF NEW.content_class = 'product'
     AND (NEW.offer_name = '' OR NEW.offer_terms_url = '' OR NEW.offer_ends_on IS NULL) THEN
    RAISE EXCEPTION 'the offer of suggestion % is not complete', NEW.id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER suggestion_was_looked_at BEFORE UPDATE ON campaigns_suggestion FOR EACH ROW
WHEN (NEW.state = 'approved'
      AND (OLD.state <> 'approved' OR (NEW.content_class <> OLD.content_class
                                       AND NEW.content_class IN ('product', 'political'))))
EXECUTE FUNCTION suggestion_was_looked_at();

CREATE FUNCTION suggestion_came_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaigns_approval (suggestion_id, revision, kind, person_id, given_at)
  VALUES (NEW.id, NEW.revision, 'editorial', NEW.approved_by_id, NEW.approved_at);
  RETURN NULL;
END $$;
CREATE TRIGGER suggestion_came_approved AFTER INSERT ON campaigns_suggestion FOR EACH ROW
WHEN (NEW.state = 'approved' AND NEW.approved_by_id <> NEW.author_id
      AND NEW.approved_by_id IS DISTINCT FROM NEW.changed_by_id)
EXECUTE FUNCTION suggestion_came_approved();

CREATE FUNCTION suggestion_says_the_same() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.topic_id, NEW.title, NEW.language, NEW.content_class, NEW.link_url, NEW.picture_id,
      NEW.document_id, NEW.content_warning, NEW.prompts, NEW.facts, NEW.offer_name,
      NEW.offer_terms_url, NEW.offer_ends_on)
     IS DISTINCT FROM
     (OLD.topic_id, OLD.title, OLD.language, OLD.content_class, OLD.link_url, OLD.picture_id,
      OLD.document_id, OLD.content_warning, OLD.prompts, OLD.facts, OLD.offer_name,
      OLD.offer_terms_url, OLD.offer_ends_on) THEN
    RAISE EXCEPTION 'suggestion % was approved as it is', NEW.id;
  END IF;
  INSERT INTO campaigns_approval (suggestion_id, revision, kind, person_id, given_at)
  SELECT suggestion_id, NEW.revision, kind, person_id, given_at FROM campaigns_approval
   WHERE suggestion_id = NEW.id AND revision = OLD.revision
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER suggestion_says_the_same AFTER UPDATE ON campaigns_suggestion FOR EACH ROW
WHEN (NEW.state = 'approved' AND OLD.state = 'approved' AND NEW.revision <> OLD.revision)
EXECUTE FUNCTION suggestion_says_the_same();
"""
# Written where the text leaves, so no code can forget it: a copy is made, a delivery becomes sent,
# the text of a sent post changes. campaigns/evidence.py computes the same digest.
KEEP = """
CREATE FUNCTION evidence_time(moment timestamptz) RETURNS text LANGUAGE sql AS $$
SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

CREATE FUNCTION seal_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.kept_at := clock_timestamp();
  NEW.keep_until := make_date(extract(year FROM NEW.left_at AT TIME ZONE 'UTC')::int + 4, 1, 1);
  NEW.sha256 := encode(sha256(convert_to(jsonb_build_array(
    NEW.post_number, NEW.author_key, NEW.event, NEW.network, NEW.language, NEW.country, NEW.part,
    NEW.text, NEW.content_warning, NEW.picture_sha256, NEW.content_class, NEW.label,
    NEW.rule_version, NEW.suggestion_number, NEW.suggestion_revision, NEW.approvals,
    NEW.remote_id, evidence_time(NEW.left_at), NEW.keep_until)::text, 'UTF8')), 'hex');
  RETURN NEW;
END $$;
CREATE TRIGGER evidence_seal BEFORE INSERT ON campaigns_evidence
FOR EACH ROW EXECUTE FUNCTION seal_evidence();

CREATE FUNCTION keep_evidence(which bigint, happened text, moment timestamptz) RETURNS void
LANGUAGE sql AS $$
INSERT INTO campaigns_evidence (
       post_number, author_key, event, network, language, country, part, text, content_warning,
       picture_sha256, content_class, label, rule_version, suggestion_number, suggestion_revision,
       approvals, remote_id, left_at)
SELECT p.id, who.evidence_key, happened, p.network, p.language, p.country, p.part, p.full_text,
       p.content_warning, coalesce(pic.sha256, ''), p.content_class, p.disclosure_label,
       p.disclosure_version, p.suggestion_id, p.suggestion_revision,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(a.kind, a.key, evidence_time(a.given_at))
                                  ORDER BY a.given_at, a.kind), '[]')
          FROM (SELECT one.kind, by.evidence_key AS key, one.given_at
                  FROM campaigns_approval one JOIN ambassadors_person by ON by.id = one.person_id
                 WHERE one.suggestion_id = p.suggestion_id
                   AND one.revision = p.suggestion_revision
                UNION ALL
                SELECT 'channel', by.evidence_key, d.approved_at
                  FROM ambassadors_person by WHERE by.id = d.approved_by_id) a),
       coalesce(d.remote_id, ''), moment
  FROM campaigns_post p JOIN ambassadors_person who ON who.id = p.person_id
  LEFT JOIN campaigns_picture pic ON pic.id = p.picture_id
  LEFT JOIN campaigns_delivery d ON d.post_id = p.id
 WHERE p.id = which
$$;

CREATE FUNCTION keep_handed_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM keep_evidence(NEW.id, NEW.how, NEW.created_at); RETURN NULL; END $$;
CREATE TRIGGER evidence_of_copy AFTER INSERT ON campaigns_post FOR EACH ROW
WHEN (NEW.how IN ('copied', 'opened')) EXECUTE FUNCTION keep_handed_over();

CREATE FUNCTION keep_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM keep_evidence(NEW.post_id, 'sent', coalesce(NEW.sent_at, now())); RETURN NULL; END $$;
CREATE TRIGGER evidence_of_sent AFTER UPDATE OF state ON campaigns_delivery FOR EACH ROW
WHEN (NEW.state = 'sent' AND OLD.state <> 'sent') EXECUTE FUNCTION keep_sent();
CREATE TRIGGER evidence_of_known AFTER INSERT ON campaigns_delivery FOR EACH ROW
WHEN (NEW.state = 'sent') EXECUTE FUNCTION keep_sent();

CREATE FUNCTION keep_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.how <> 'published'
     OR EXISTS (SELECT FROM campaigns_delivery WHERE post_id = NEW.id AND state = 'sent') THEN
    PERFORM keep_evidence(NEW.id, 'changed', now());
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER evidence_of_change AFTER UPDATE OF full_text ON campaigns_post FOR EACH ROW
WHEN (NEW.full_text <> OLD.full_text) EXECUTE FUNCTION keep_changed();

SELECT keep_evidence(p.id, CASE WHEN p.how = 'published' THEN 'sent' ELSE p.how END,
                     coalesce(d.sent_at, p.created_at))
  FROM campaigns_post p LEFT JOIN campaigns_delivery d ON d.post_id = p.id
 WHERE p.how IN ('copied', 'opened') OR d.state = 'sent' ORDER BY p.id;
"""
ALLOW = """
DROP TRIGGER evidence_of_change ON campaigns_post;
DROP TRIGGER evidence_of_known ON campaigns_delivery;
DROP TRIGGER evidence_of_sent ON campaigns_delivery;
DROP TRIGGER evidence_of_copy ON campaigns_post;
DROP TRIGGER evidence_seal ON campaigns_evidence;
DROP TRIGGER suggestion_came_approved ON campaigns_suggestion;
DROP TRIGGER suggestion_says_the_same ON campaigns_suggestion;
DROP TRIGGER suggestion_was_looked_at ON campaigns_suggestion;
DROP TRIGGER approval_is_of_another ON campaigns_approval;
DROP TRIGGER disclosure_rule_in_time ON campaigns_disclosurerule;
DROP TRIGGER disclosure_table_decided ON campaigns_disclosuretable;
DROP TRIGGER disclosure_table_stays ON campaigns_disclosuretable;
DROP TRIGGER disclosure_rule_append_only ON campaigns_disclosurerule;
DROP TRIGGER evidence_stays ON campaigns_evidence;
DROP TRIGGER evidence_append_only ON campaigns_evidence;
DROP TRIGGER approval_append_only ON campaigns_approval;
DROP FUNCTION keep_changed, keep_sent, keep_handed_over, keep_evidence, seal_evidence,
     evidence_time, suggestion_came_approved, suggestion_says_the_same, suggestion_was_looked_at, approval_is_of_another, disclosure_rule_in_time,
     is_append_only;
"""


class Migration(migrations.Migration):
    """Triggers, because Python is not the only one who can write."""

    dependencies = [("campaigns", "0012_review_and_disclosure")]
    operations = [
        migrations.RunSQL(FORBID, ALLOW),
        migrations.RunSQL(APPROVE, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
    ]
