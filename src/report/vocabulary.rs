//! The words of the control in both languages, each with a mark, so that colour is never the only signal.

use super::words::Language;
use crate::domain::age::AgeBucket;
use crate::domain::check::Verdict;
use crate::domain::matching::{OpenBecause, Side};
use crate::domain::reconcile::fx::Rate;
use crate::domain::reconcile::result::{Sides, Status};
use crate::domain::reconcile::statement::{Decision, MonthState, Role, Since};
use crate::domain::run::{ControlResult, Stamp};
use crate::domain::vouchers::PairVerdict;
use crate::kernels::bridges::timing::JdashOnlyWhy;
use crate::kernels::vouchers::Flow;

/// Printed wherever a run is no control evidence.
pub(super) const NO_EVIDENCE: &str = "NOT CONTROL EVIDENCE";

impl Language {
    pub(super) fn status(self, status: Status) -> &'static str {
        match status {
            Status::Ok => "OK",
            Status::Investigate => self.pick("INVESTIGATE", "À EXAMINER"),
            Status::OverExplained => self.pick("OVER-EXPLAINED", "SUREXPLIQUÉ"),
            Status::NotConcluded => self.pick("NOT CONCLUDED", "NON CONCLU"),
        }
    }

    pub(super) fn control_result(self, result: ControlResult) -> &'static str {
        match result {
            ControlResult::NoExceptions => self.pick("NO EXCEPTIONS", "AUCUNE EXCEPTION"),
            ControlResult::Exceptions => "EXCEPTIONS",
            ControlResult::NotConcluded => self.pick("NOT CONCLUDED", "NON CONCLU"),
        }
    }

    pub(super) fn verdict(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Pass => self.pick("pass", "conforme"),
            Verdict::Fail => self.pick("fail", "échec"),
            Verdict::NotRun => self.pick("not run", "non fait"),
            Verdict::NotApplicable => self.pick("n/a", "s. o."),
        }
    }

    pub(super) fn state(self, state: &MonthState) -> String {
        match state {
            MonthState::Preliminary => self.pick("PRELIMINARY", "PROVISOIRE").to_owned(),
            MonthState::Final { number, .. } => {
                format!("{} {number}", self.pick("FINAL no.", "DÉFINITIF n°"))
            }
        }
    }

    pub(super) fn sides(self, sides: Sides) -> &'static str {
        match sides {
            Sides::Both => self.pick("both sides", "les deux côtés"),
            Sides::ActualOnly => self.pick("ledger only", "grand livre seul"),
            Sides::TargetOnly => self.pick("sources only", "sources seules"),
            Sides::Neither => self.pick("neither side", "aucun côté"),
        }
    }

    pub(super) fn side(self, side: Side) -> &'static str {
        match side {
            Side::Actual => self.pick("ledger", "grand livre"),
            Side::Target => self.pick("source", "source"),
        }
    }

    pub(super) fn decision(self, decision: Decision) -> &'static str {
        match decision {
            Decision::Accept => self.pick("accept", "accepter"),
            Decision::Adjust => self.pick("adjust", "corriger"),
            Decision::CarryForward => self.pick("carry forward", "reporter"),
        }
    }

    pub(super) fn role(self, role: Role) -> &'static str {
        match role {
            Role::Prepared => self.pick("Prepared", "Préparé"),
            Role::Reviewed => self.pick("Reviewed", "Revu"),
            Role::Approved => self.pick("Approved", "Approuvé"),
        }
    }

    pub(super) fn age(self, age: AgeBucket) -> &'static str {
        match age {
            AgeBucket::BelowOne => self.pick("below 1 month", "moins de 1 mois"),
            AgeBucket::OneToThree => self.pick("1 to 2 months", "1 à 2 mois"),
            AgeBucket::ThreeToSix => self.pick("3 to 5 months", "3 à 5 mois"),
            AgeBucket::SixToTwelve => self.pick("6 to 11 months", "6 à 11 mois"),
            AgeBucket::TwelveAndMore => self.pick("12 months and more", "12 mois et plus"),
            AgeBucket::AfterPeriod => self.pick("after the month", "après le mois"),
            AgeBucket::NoDate => self.pick("age not known", "âge inconnu"),
        }
    }

    /// What stands in a list for the rows that it leaves out.
    pub(super) fn more_rows(self, rows: u64) -> String {
        format!(
            "… {} {}",
            self.count(rows),
            self.pick("more rows", "autres lignes")
        )
    }

    pub(super) fn because(self, because: OpenBecause) -> &'static str {
        match because {
            OpenBecause::NoCounterpart => self.pick("no counterpart", "sans contrepartie"),
            OpenBecause::NoKey => self.pick("no key", "sans clé"),
            OpenBecause::NoScope => {
                self.pick("no company or account", "sans société ou sans compte")
            }
        }
    }

    pub(super) fn flow(self, flow: Flow) -> &'static str {
        match flow {
            Flow::Issuance => self.pick("issuance", "émission"),
            Flow::Usage => self.pick("usage", "utilisation"),
            Flow::Expiry => self.pick("expiry", "expiration"),
            Flow::Cancellation => self.pick("cancellation and VTC", "annulation et VTC"),
            Flow::Uncategorized => self.pick("no category", "sans catégorie"),
        }
    }

    pub(super) fn jdash_only(self, why: JdashOnlyWhy) -> &'static str {
        match why {
            JdashOnlyWhy::Unknown => self.pick("not in IPE_08", "absent de IPE_08"),
            JdashOnlyWhy::NotCandidate => self.pick(
                "in IPE_08, outside what B1 looks at",
                "dans IPE_08, hors de ce que B1 regarde",
            ),
            JdashOnlyWhy::SeveralCompanies => self.pick(
                "in IPE_08 in several companies, and JDASH names none",
                "dans IPE_08 chez plusieurs sociétés, et JDASH n'en nomme aucune",
            ),
            JdashOnlyWhy::NoCompany => self.pick(
                "JDASH names companies, and none here",
                "JDASH nomme des sociétés, et aucune ici",
            ),
        }
    }

    pub(super) fn pair(self, verdict: PairVerdict) -> &'static str {
        match verdict {
            PairVerdict::Allowed => self.pick("allowed", "admis"),
            PairVerdict::NotAllowed => self.pick("not allowed", "non admis"),
            PairVerdict::NoType => self.pick("no kind of voucher", "sans type de bon"),
            PairVerdict::NoCategory => self.pick("no rule", "sans règle"),
        }
    }

    pub(super) fn yes_no(self, is: bool) -> &'static str {
        if is {
            self.pick("yes", "oui")
        } else {
            self.pick("no", "non")
        }
    }

    /// The run that spoke for an earlier month.
    pub(super) fn since_run(self, since: &Since) -> String {
        let run = self.pick("run", "exécution");
        let word = match since.is_final {
            true => self.pick("final", "définitive"),
            false => self.pick("preliminary", "provisoire"),
        };
        format!("{run} {}, {word}", since.run_id)
    }

    /// Why nothing is known of changes.
    pub(super) fn no_earlier_month(self) -> &'static str {
        self.pick(
            "not known: no earlier month was judged",
            "inconnu : aucun mois antérieur n'a été jugé",
        )
    }

    /// Whether something reaches a threshold; `None` where nobody knows.
    pub(super) fn reached(self, is: Option<bool>) -> &'static str {
        is.map_or(self.pick("not known", "inconnu"), |is| self.yes_no(is))
    }

    pub(super) fn stamp(self, stamp: Stamp) -> &'static str {
        let french = match stamp {
            Stamp::DirtyBuild => {
                "le programme a été construit depuis une copie avec des modifications non validées"
            }
            Stamp::CatalogOverride => "le catalogue a été remplacé par --catalog",
            Stamp::SandboxSource => "la source est le bac à sable intégré",
            Stamp::FileSecrets => "les secrets ont été lus dans des fichiers",
            Stamp::UnauthenticatedService => {
                "l'exécution a été lancée par un service qui ne demande à personne qui il est (--allow-unauthenticated)"
            }
            Stamp::ReplacedEndpoint => {
                "un service de Google a été interrogé à une adresse qui n'est pas celle de Google (--google-endpoint)"
            }
            Stamp::ContractOverride => "le contrat de réconciliation a été remplacé par --contract",
            Stamp::RulesOverride => "les règles et les seuils ont été remplacés par --rules",
            Stamp::PersonalAccount => {
                "Google a été appelé avec la connexion personnelle de quelqu'un"
            }
        };
        self.pick(stamp.reason(), french)
    }

    pub(super) fn rate(self, rate: &Rate) -> &'static str {
        match rate {
            Rate::One(_) => self.pick("one rate", "un cours"),
            Rate::Missing => self.pick("missing", "absent"),
            Rate::Ambiguous(_) => self.pick("several rates", "plusieurs cours"),
            Rate::NotPositive(_) => self.pick("not above zero", "non positif"),
            Rate::Unfit(_) => self.pick("unfit", "inadapté"),
        }
    }
}

/// Stands beside the word of a status.
pub(super) fn status_mark(status: Status) -> &'static str {
    match status {
        Status::Ok => "✓",
        Status::Investigate => "▲",
        Status::OverExplained => "◆",
        Status::NotConcluded => "?",
    }
}

/// Class of a status in the page's style.
pub(super) fn status_class(status: Status) -> &'static str {
    match status {
        Status::Ok => "s-ok",
        Status::Investigate => "s-inv",
        Status::OverExplained => "s-over",
        Status::NotConcluded => "s-open",
    }
}

/// Stands beside the word of a verdict.
pub(super) fn verdict_mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::NotRun => "?",
        Verdict::NotApplicable => "–",
    }
}

/// Class of a verdict in the page's style.
pub(super) fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "s-ok",
        Verdict::Fail => "s-inv",
        Verdict::NotRun => "s-open",
        Verdict::NotApplicable => "s-none",
    }
}
