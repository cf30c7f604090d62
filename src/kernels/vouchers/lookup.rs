//! The type of a voucher by its number: the business use that the shop knows for the key in the same company.
//!
//! A source is brought to one row a key before it is joined, so the join cannot double a row of the ledger; what the
//! plain join would have done is audited first. A key with two business uses gives none.

use polars::prelude::{
    DataFrame, DataType, Expr, IntoLazy as _, JoinArgs, JoinType, MaintainOrderJoin, NULL, col,
    len, lit, when,
};
use serde::{Deserialize, Serialize};

use crate::domain::vouchers::{LookupSource, LookupStep, VoucherRules};
use crate::kernels::frame::guarded;
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::audit::{JoinAudit, Side, audit};
use crate::kernels::reconcile::cells::{COMPANY, code, count, counts, key, wrong};

/// Column: the business use that was found, null where none was.
pub(super) const FOUND: &str = "__business_use";
const USE: &str = "business_use";
/// Company and key, as they are joined.
const KEY: [&str; 2] = ["__company", "__key"];

/// What a step of the look-up gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupUse {
    /// The step.
    pub step: LookupStep,
    /// Whether the source has its column; without it an optional step is not taken.
    pub taken: bool,
    /// Keys of the source with two business uses or more; they give none.
    pub ambiguous_keys: u64,
    /// Rows of the ledger that this step gave a type and no earlier one did.
    pub rows_found: u64,
}

/// The ledger with what was found.
pub(super) struct LookedUp {
    pub(super) frame: DataFrame,
    pub(super) audits: Vec<JoinAudit>,
    pub(super) uses: Vec<LookupUse>,
}

/// Takes all steps.
///
/// # Errors
/// [`ReconcileError`] for a missing column of a step that is not optional, and for a join that changed the rows.
pub(super) fn look_up(
    ledger: &DataFrame,
    issuance: &DataFrame,
    usage: &DataFrame,
    rules: &VoucherRules,
) -> Result<LookedUp, ReconcileError> {
    let doing = || "beginning the look-up".to_owned();
    let nothing = lit(NULL).cast(DataType::String).alias(FOUND);
    let mut found = LookedUp {
        frame: guarded(doing, || {
            ledger.clone().lazy().with_column(nothing).collect()
        })?,
        audits: Vec::new(),
        uses: Vec::new(),
    };
    for step in &rules.lookups {
        let source = match step.source {
            LookupSource::Issuance => issuance,
            LookupSource::Usage => usage,
        };
        found.take(step, source)?;
    }
    Ok(found)
}

impl LookedUp {
    fn take(&mut self, step: &LookupStep, source: &DataFrame) -> Result<(), ReconcileError> {
        let mut usage = LookupUse {
            step: step.clone(),
            taken: source.schema().get(&step.key).is_some(),
            ambiguous_keys: 0,
            rows_found: 0,
        };
        if !usage.taken && step.optional {
            self.uses.push(usage);
            return Ok(());
        }
        if !usage.taken {
            return Err(wrong(&step.key, "a column of the table", "missing"));
        }
        let name = step_name(step);
        let side = |frame, column: &str| {
            let key = vec![code(frame, COMPANY)?, key(frame, column)?];
            Ok::<_, ReconcileError>(Side { frame, key })
        };
        let left = side(&self.frame, &step.ledger)?;
        let right = side(source, &step.key)?;
        self.audits.push(audit(&name, &left, &right)?);
        let uses = one_use(&name, &right)?;
        let ambiguous = [count(col("__uses").gt(lit(1_i64)), "ambiguous")];
        let newly = col(FOUND).is_null().and(col("__use").is_not_null());
        let newly = [count(newly, "found")];
        let keys = named(&left.key);
        let doing = || format!("joining {name}");
        let (joined, ambiguous, counted) = guarded(doing, || {
            let ambiguous = uses.clone().lazy().select(ambiguous).collect()?;
            let on = KEY.map(col);
            let args = JoinArgs {
                maintain_order: MaintainOrderJoin::Left,
                ..JoinArgs::new(JoinType::Left)
            };
            let ledger = self.frame.clone().lazy().with_columns(keys);
            let joined = ledger.join(uses.lazy(), on.clone(), on, args).collect()?;
            let counted = joined.clone().lazy().select(newly).collect()?;
            Ok((joined, ambiguous, counted))
        })?;
        let (before, after) = (self.frame.height(), joined.height());
        if before != after {
            let join = name;
            return Err(ReconcileError::Multiplied {
                join,
                before,
                after,
            });
        }
        let first = |frame: &DataFrame, name: &str| {
            Ok::<_, ReconcileError>(counts(frame, name)?.first().copied().unwrap_or_default())
        };
        usage.ambiguous_keys = first(&ambiguous, "ambiguous")?;
        usage.rows_found = first(&counted, "found")?;
        self.uses.push(usage);
        let filled = col(FOUND).fill_null(col("__use"));
        let doing = || "keeping what was found".to_owned();
        self.frame = guarded(doing, || {
            let filled = joined.lazy().with_column(filled).collect()?;
            Ok(filled.drop_many(KEY.into_iter().chain(["__uses", "__use"])))
        })?;
        Ok(())
    }
}

/// The parts of a key under the names by which they are joined.
fn named(key: &[Expr]) -> Vec<Expr> {
    let parts = key.iter().zip(KEY);
    parts.map(|(part, name)| part.clone().alias(name)).collect()
}

fn step_name(step: &LookupStep) -> String {
    let source = match step.source {
        LookupSource::Issuance => "IPE_08",
        LookupSource::Usage => "IPE_08_USAGE",
    };
    format!("CR_03.{} = {source}.{}", step.ledger, step.key)
}

/// One row a key: how many business uses it has, and which when that is one.
fn one_use(name: &str, source: &Side<'_>) -> Result<DataFrame, ReconcileError> {
    let usage = code(source.frame, USE)?.str().strip_chars(lit(NULL));
    let mut columns = named(&source.key);
    columns.push(usage.alias("__use"));
    let doing = || format!("bringing {name} to one row a key");
    let one = when(col("__uses").eq(lit(1_i64))).then(col("__use"));
    Ok(guarded(doing, || {
        let rows = source.frame.clone().lazy().select(columns);
        let known = col("__key").is_not_null().and(col("__use").neq(lit("")));
        let different = rows
            .filter(known)
            .group_by(["__company", "__key", "__use"].map(col))
            .agg([len().alias("rows")]);
        different
            .group_by(KEY.map(col))
            .agg([
                len().cast(DataType::Int128).alias("__uses"),
                col("__use").first(),
            ])
            .with_column(one.otherwise(lit(NULL)).alias("__use"))
            .collect()
    })?)
}
