from django.db import migrations

FROZEN = """
CREATE FUNCTION invoice_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    paper text[] := ARRAY['state', 'file', 'sha256', 'rendered_at', 'error'];
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'invoices are kept: take one back by a credit note' USING ERRCODE = 'restrict_violation';
    END IF;
    IF to_jsonb(NEW) - paper IS DISTINCT FROM to_jsonb(OLD) - paper THEN
        RAISE EXCEPTION 'what invoice % says is frozen: take it back by a credit note', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_frozen BEFORE UPDATE OR DELETE ON invoices_invoice
    FOR EACH ROW EXECUTE FUNCTION invoice_frozen();
CREATE TRIGGER invoice_no_truncate BEFORE TRUNCATE ON invoices_invoice
    FOR EACH STATEMENT EXECUTE FUNCTION invoice_frozen()
"""
NOT_FROZEN = """
DROP TRIGGER invoice_no_truncate ON invoices_invoice;
DROP TRIGGER invoice_frozen ON invoices_invoice;
DROP FUNCTION invoice_frozen()
"""

NO_GAPS = """
CREATE FUNCTION series_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.last = 1 THEN RETURN NEW; END IF;
    IF TG_OP = 'UPDATE' AND NEW.last = OLD.last + 1
       AND to_jsonb(NEW) - 'last' IS NOT DISTINCT FROM to_jsonb(OLD) - 'last' THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'numbers of a series are given out one by one' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER series_by_one BEFORE INSERT OR UPDATE OR DELETE ON invoices_series
    FOR EACH ROW EXECUTE FUNCTION series_by_one();

-- At the end of the transaction: every number that was given out is on an invoice.
CREATE FUNCTION series_number_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM invoices_invoice WHERE issuer_id IS NOT DISTINCT FROM NEW.issuer_id
                   AND series = NEW.name AND year = NEW.year AND sequence = NEW.last) THEN
        RAISE EXCEPTION 'number % of series % was taken for no invoice', NEW.last, NEW.name
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER series_number_used AFTER INSERT OR UPDATE ON invoices_series
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION series_number_used();
CREATE FUNCTION invoice_number_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM invoices_series WHERE issuer_id IS NOT DISTINCT FROM NEW.issuer_id
                   AND name = NEW.series AND year = NEW.year AND last = NEW.sequence) THEN
        RAISE EXCEPTION 'number % was not given out by its series', NEW.number USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_number_given BEFORE INSERT ON invoices_invoice
    FOR EACH ROW EXECUTE FUNCTION invoice_number_given()
"""
GAPS = """
DROP TRIGGER invoice_number_given ON invoices_invoice;
DROP FUNCTION invoice_number_given();
DROP TRIGGER series_number_used ON invoices_series;
DROP FUNCTION series_number_used();
DROP TRIGGER series_by_one ON invoices_series;
DROP FUNCTION series_by_one()
"""


class Migration(migrations.Migration):
    """What Django's models cannot say: invoices that nobody changes, and numbers without gaps."""

    dependencies = [("invoices", "0001_initial")]

    operations = [migrations.RunSQL(FROZEN, NOT_FROZEN), migrations.RunSQL(NO_GAPS, GAPS)]
