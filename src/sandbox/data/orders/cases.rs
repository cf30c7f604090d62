//! The lives that an order can have: every one that a report of the shop keeps, and every one that it leaves out.
//! Constants only; days are drawn in `draw`.

use crate::sandbox::data::chart::NEXT_START;

/// A calendar day.
type Day = (i32, u32, u32);

/// When something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Never,
    /// NAV's empty date.
    Empty,
    /// So many days before the cutoff, at least and at most.
    Ago(i64, i64),
    /// Up to so many days after what happened before, and before the cutoff.
    After(i64),
    /// When the item is delivered.
    Delivered,
    /// Some days after the cutoff.
    Ahead,
    /// The last tick before a day.
    EveOf(Day),
    /// The midnight at which a day begins.
    On(Day),
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Cash,
    Prepaid,
    /// With a method that asks nobody for money.
    Free,
    /// Without a method.
    Unknown,
}

/// Who sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seller {
    /// Retail or marketplace, as it comes.
    Any,
    Retail,
    /// Retail, without a package.
    Digital,
    Marketplace,
}

/// One life of an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) way: Way,
    pub(super) seller: Seller,
    /// `Never` is some days before the first of the others.
    pub(super) created: At,
    pub(super) verified: At,
    pub(super) delivered: At,
    pub(super) package: At,
    pub(super) resolved: At,
    pub(super) refunded: At,
    pub(super) returned: At,
    /// Whether the carrier reports the package.
    pub(super) is_reported: bool,
}

const FIRST_TICK: At = At::On(NEXT_START);
const LAST_TICK: At = At::EveOf(NEXT_START);
/// Days of two months and a half, so that some stand open at the end of the month before too.
const OF_LATE: At = At::Ago(1, 75);
const LONG_AGO: At = At::Ago(40, 1150);
const TOO_OLD: At = At::EveOf((2019, 1, 1));

/// Delivered, and nobody has paid.
const CASH: Case = Case {
    way: Way::Cash,
    seller: Seller::Any,
    created: At::Never,
    verified: At::Never,
    delivered: OF_LATE,
    package: At::Delivered,
    resolved: At::Never,
    refunded: At::Never,
    returned: At::Never,
    is_reported: true,
};

/// Paid, and nothing was delivered.
const PREPAID: Case = Case {
    way: Way::Prepaid,
    verified: OF_LATE,
    delivered: At::Never,
    ..CASH
};

/// Delivered by a seller of the marketplace and paid.
const SOLD: Case = Case {
    seller: Seller::Marketplace,
    delivered: At::Ago(80, 120),
    resolved: At::After(5),
    ..CASH
};

const fn delivered(at: At) -> Case {
    Case {
        delivered: at,
        ..CASH
    }
}

const fn resolved(at: At) -> Case {
    Case {
        delivered: At::Ago(4, 25),
        resolved: at,
        ..CASH
    }
}

const fn verified(at: At) -> Case {
    Case {
        verified: at,
        ..PREPAID
    }
}

const fn handed_over(seller: Seller, delivered: At, package: At) -> Case {
    Case {
        seller,
        verified: At::Ago(10, 30),
        delivered,
        package,
        ..PREPAID
    }
}

const fn cancelled(at: At) -> Case {
    Case {
        seller: Seller::Marketplace,
        verified: At::Ago(10, 60),
        refunded: at,
        ..PREPAID
    }
}

const fn back(refunded: At, returned: At) -> Case {
    Case {
        refunded,
        returned,
        ..SOLD
    }
}

const fn of_retail(refunded: At, returned: At) -> Case {
    Case {
        seller: Seller::Retail,
        ..back(refunded, returned)
    }
}

/// All lives, each once in a round of orders.
pub(super) const CASES: [Case; 49] = [
    // Cash on delivery.
    CASH,
    delivered(At::Ago(76, 900)),
    Case {
        delivered: LONG_AGO,
        ..resolved(At::After(9))
    },
    resolved(At::Ahead),
    resolved(LAST_TICK),
    resolved(FIRST_TICK),
    resolved(At::Empty),
    delivered(LAST_TICK),
    delivered(FIRST_TICK),
    delivered(At::Ahead),
    delivered(TOO_OLD),
    delivered(At::On((2019, 1, 1))),
    delivered(At::Never),
    delivered(At::Empty),
    Case {
        way: Way::Free,
        ..CASH
    },
    Case {
        way: Way::Unknown,
        ..CASH
    },
    Case {
        is_reported: false,
        ..CASH
    },
    // Prepaid.
    PREPAID,
    Case {
        verified: LONG_AGO,
        delivered: At::After(12),
        ..PREPAID
    },
    handed_over(Seller::Retail, At::After(5), At::Delivered),
    handed_over(Seller::Retail, At::After(5), At::Ahead),
    handed_over(Seller::Retail, At::After(5), FIRST_TICK),
    handed_over(Seller::Retail, At::Never, LAST_TICK),
    handed_over(Seller::Digital, At::After(5), At::Never),
    handed_over(Seller::Digital, At::Never, At::After(3)),
    handed_over(Seller::Marketplace, At::After(5), At::Never),
    handed_over(Seller::Marketplace, FIRST_TICK, At::Delivered),
    handed_over(Seller::Marketplace, LAST_TICK, At::Delivered),
    handed_over(Seller::Any, At::Empty, At::Empty),
    cancelled(At::After(9)),
    cancelled(LAST_TICK),
    cancelled(FIRST_TICK),
    cancelled(At::Empty),
    verified(LAST_TICK),
    verified(FIRST_TICK),
    verified(At::Ahead),
    verified(At::Never),
    verified(At::Empty),
    Case {
        created: At::EveOf((2018, 1, 1)),
        ..verified(At::On((2018, 1, 2)))
    },
    Case {
        created: At::On((2018, 1, 1)),
        ..verified(At::On((2018, 1, 1)))
    },
    // Refunds and returns.
    back(At::Ago(1, 50), At::Never),
    back(At::Never, At::Ago(1, 50)),
    back(At::Ago(30, 60), At::After(20)),
    back(At::Ago(1, 20), FIRST_TICK),
    back(FIRST_TICK, LAST_TICK),
    back(LAST_TICK, At::Empty),
    of_retail(At::Ago(1, 50), At::Never),
    of_retail(At::Never, At::Ago(1, 50)),
    Case {
        delivered: At::On((2018, 12, 20)),
        ..back(TOO_OLD, At::Never)
    },
];
