from django.db import migrations

FOREIGN_KEYS = """
ALTER TABLE ledger_transfer
    ADD CONSTRAINT ledger_transfer_debit FOREIGN KEY (debit_id, currency) REFERENCES ledger_account (id, currency),
    ADD CONSTRAINT ledger_transfer_credit FOREIGN KEY (credit_id, currency) REFERENCES ledger_account (id, currency)
"""
NO_FOREIGN_KEYS = (
    "ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_debit, DROP CONSTRAINT ledger_transfer_credit"
)

APPLY = """
CREATE FUNCTION ledger_apply() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held ledger_transfer;
    posted bigint := 0;
    pending bigint := 0;
    account record;
BEGIN
    IF NEW.phase = 'single' THEN
        posted := NEW.amount;
    ELSIF NEW.phase = 'pending' THEN
        pending := NEW.amount;
    ELSE
        SELECT * INTO held FROM ledger_transfer WHERE id = NEW.pending_id;
        IF held.phase IS DISTINCT FROM 'pending' OR held.debit_id <> NEW.debit_id OR held.credit_id <> NEW.credit_id
           OR held.currency <> NEW.currency OR NEW.amount > held.amount
           OR (NEW.phase = 'void' AND NEW.amount <> held.amount) THEN
            RAISE EXCEPTION 'transfer % does not fit the hold % that it resolves', NEW.id, NEW.pending_id
                USING ERRCODE = 'check_violation';
        END IF;
        pending := -held.amount;  -- a partial post gives the rest back
        IF NEW.phase = 'post' THEN posted := NEW.amount; END IF;
    END IF;
    FOR account IN
        SELECT id FROM ledger_account WHERE id IN (NEW.debit_id, NEW.credit_id) AND cached
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        IF account.id = NEW.debit_id THEN
            UPDATE ledger_account SET debits_posted = debits_posted + posted, debits_pending = debits_pending + pending
            WHERE id = account.id;
        ELSE
            UPDATE ledger_account SET credits_posted = credits_posted + posted, credits_pending = credits_pending + pending
            WHERE id = account.id;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_apply AFTER INSERT ON ledger_transfer FOR EACH ROW EXECUTE FUNCTION ledger_apply()
"""
NO_APPLY = "DROP TRIGGER ledger_apply ON ledger_transfer; DROP FUNCTION ledger_apply()"

IMMUTABLE = """
CREATE FUNCTION ledger_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger rows are immutable: correct a mistake by a row that moves the money back'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_immutable();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_immutable();
-- Balances change only by ledger_apply (trigger depth 1), never by hand; a new account starts at nothing.
CREATE TRIGGER ledger_account_guard BEFORE UPDATE OR DELETE ON ledger_account
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_immutable();
CREATE TRIGGER ledger_account_empty BEFORE INSERT ON ledger_account FOR EACH ROW
    WHEN (NEW.debits_posted <> 0 OR NEW.credits_posted <> 0 OR NEW.debits_pending <> 0 OR NEW.credits_pending <> 0)
    EXECUTE FUNCTION ledger_immutable()
"""
NOT_IMMUTABLE = """
DROP TRIGGER ledger_account_empty ON ledger_account;
DROP TRIGGER ledger_account_guard ON ledger_account;
DROP TRIGGER ledger_no_truncate ON ledger_transfer;
DROP TRIGGER ledger_no_change ON ledger_transfer;
DROP FUNCTION ledger_immutable()
"""

FROZEN = """
CREATE FUNCTION operation_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'operation % cannot be deleted', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.kind, NEW.milestone_id, NEW.payout_account_id, NEW.parent_id, NEW.amount, NEW.fee, NEW.currency,
        NEW.params, NEW.stripe_account, NEW.api_version, NEW.requested_by_id, NEW.reason, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.milestone_id, OLD.payout_account_id, OLD.parent_id, OLD.amount, OLD.fee, OLD.currency,
        OLD.params, OLD.stripe_account, OLD.api_version, OLD.requested_by_id, OLD.reason, OLD.created_at) THEN
        RAISE EXCEPTION 'what operation % asks for is frozen', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.attempt NOT IN (OLD.attempt, OLD.attempt + 1) THEN
        RAISE EXCEPTION 'attempts of operation % are counted one by one', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.attempt = OLD.attempt AND OLD.first_sent_at IS NOT NULL
       AND NEW.first_sent_at IS DISTINCT FROM OLD.first_sent_at THEN
        RAISE EXCEPTION 'when the key of operation % was first used cannot be changed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.attempt > OLD.attempt AND (NEW.dispatch <> 'ready' OR NEW.first_sent_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a new attempt of operation % begins unsent', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.dispatch IN ('confirmed', 'rejected')
       AND (NEW.dispatch, NEW.stripe_id, NEW.attempt) IS DISTINCT FROM (OLD.dispatch, OLD.stripe_id, OLD.attempt) THEN
        RAISE EXCEPTION 'operation % is % for good', OLD.id, OLD.dispatch USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.booked_at IS NOT NULL AND NEW.booked_at IS DISTINCT FROM OLD.booked_at THEN
        RAISE EXCEPTION 'operation % is booked for good', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER operation_frozen BEFORE UPDATE OR DELETE ON payments_operation
    FOR EACH ROW EXECUTE FUNCTION operation_frozen()
"""
NOT_FROZEN = "DROP TRIGGER operation_frozen ON payments_operation; DROP FUNCTION operation_frozen()"


class Migration(migrations.Migration):
    """What Django's models cannot say: one currency per move, balances, and rows that nobody changes."""

    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.RunSQL(FOREIGN_KEYS, NO_FOREIGN_KEYS),
        migrations.RunSQL(APPLY, NO_APPLY),
        migrations.RunSQL(IMMUTABLE, NOT_IMMUTABLE),
        migrations.RunSQL(FROZEN, NOT_FROZEN),
    ]
