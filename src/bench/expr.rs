//! Figures as expressions: built with operators from cases, constants and functions.
//!
//! A closure can only be called. An expression can also be inspected: its formula says which cases a figure
//! needs, how it changes with each of them, what single samples make of it, and how it reads as text.

use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

use super::case::CaseId;

/// A function of figures.
pub(super) type Function = Arc<dyn Fn(&[f64]) -> f64 + Send + Sync>;

/// A figure, computed from the typical sample times of cases. Cheap to clone.
///
/// An unknown figure is NaN, and so is every figure computed from it, except by [`Expr::min_known`],
/// [`Expr::max_known`] and [`Expr::lenient`].
#[derive(Clone)]
pub struct Expr(pub(super) Arc<Node>);

pub(super) enum Node {
    Number(f64),
    /// Seconds of a typical sample.
    Time(CaseId),
    /// Units of work in a sample.
    Scale(CaseId),
    Add(Expr, Expr),
    Subtract(Expr, Expr),
    Multiply(Expr, Expr),
    Divide(Expr, Expr),
    Sum(Vec<Expr>),
    /// The largest or the smallest.
    Extreme {
        of: Vec<Expr>,
        largest: bool,
        /// Whether unknown ones are left out.
        known: bool,
    },
    /// NaN unless above zero.
    Positive(Expr),
    Call {
        name: &'static str,
        of: Vec<Expr>,
        /// Whether it is called with unknown figures too.
        lenient: bool,
        function: Function,
    },
}

impl Expr {
    fn new(node: Node) -> Self {
        Self(Arc::new(node))
    }

    /// The sum; 0 of none.
    pub fn sum(of: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Node::Sum(of.into_iter().collect()))
    }

    /// The largest; NaN where any is unknown.
    pub fn max(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, true, false)
    }

    /// The smallest; NaN where any is unknown.
    pub fn min(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, false, false)
    }

    /// The largest of those that are known; NaN where none is.
    pub fn max_known(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, true, true)
    }

    /// The smallest of those that are known; NaN where none is.
    pub fn min_known(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, false, true)
    }

    fn extreme(of: impl IntoIterator<Item = Self>, largest: bool, known: bool) -> Self {
        Self::new(Node::Extreme { of: of.into_iter().collect(), largest, known })
    }

    /// Itself where it is above zero, else NaN: what noise can leave nothing of.
    #[must_use]
    pub fn positive(self) -> Self {
        Self::new(Node::Positive(self))
    }

    /// What `function` makes of `of`; NaN, without a call, where any of them is unknown. `name` is for people.
    pub fn call<const N: usize>(
        name: &'static str,
        of: [Self; N],
        function: impl Fn([f64; N]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let function = move |of: &[f64]| function(of.try_into().expect("as many as were given"));
        Self::new(Node::Call { name, of: of.into(), lenient: false, function: Arc::new(function) })
    }

    /// What `function` makes of `of`, which may be NaN: a knee or a crossing in a sweep that may have gaps.
    pub fn lenient(
        name: &'static str,
        of: impl IntoIterator<Item = Self>,
        function: impl Fn(&[f64]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let of = of.into_iter().collect();
        Self::new(Node::Call { name, of, lenient: true, function: Arc::new(function) })
    }
}

impl From<f64> for Expr {
    fn from(number: f64) -> Self {
        Self::new(Node::Number(number))
    }
}

impl From<&Self> for Expr {
    fn from(expr: &Self) -> Self {
        expr.clone()
    }
}

impl CaseId {
    /// Seconds of a typical sample.
    #[must_use]
    pub fn time(self) -> Expr {
        Expr::new(Node::Time(self))
    }

    /// Units of work in a sample.
    #[must_use]
    pub fn scale(self) -> Expr {
        Expr::new(Node::Scale(self))
    }

    /// Seconds for one unit of work, nothing subtracted.
    #[must_use]
    pub fn per_unit(self) -> Expr {
        self.time() / self.scale()
    }

    /// Seconds beyond `floor`.
    #[must_use]
    pub fn above(self, floor: Self) -> Expr {
        self.time() - floor.time()
    }

    /// Seconds beyond `floor` for one unit of work.
    #[must_use]
    pub fn per_unit_above(self, floor: Self) -> Expr {
        self.above(floor) / self.scale()
    }

    /// Seconds for one unit of work beyond one of `floor`, which has a scale of its own.
    #[must_use]
    pub fn per_unit_beyond(self, floor: Self) -> Expr {
        self.per_unit() - floor.per_unit()
    }
}

/// An operator on expressions, references to them and numbers.
macro_rules! operator {
    ($operator:ident, $method:ident, $node:ident) => {
        impl<T: Into<Expr>> $operator<T> for Expr {
            type Output = Expr;

            fn $method(self, other: T) -> Expr {
                Expr::new(Node::$node(self, other.into()))
            }
        }

        impl<T: Into<Expr>> $operator<T> for &Expr {
            type Output = Expr;

            fn $method(self, other: T) -> Expr {
                Expr::new(Node::$node(self.clone(), other.into()))
            }
        }

        impl $operator<Expr> for f64 {
            type Output = Expr;

            fn $method(self, other: Expr) -> Expr {
                Expr::new(Node::$node(self.into(), other))
            }
        }

        impl $operator<&Expr> for f64 {
            type Output = Expr;

            fn $method(self, other: &Expr) -> Expr {
                Expr::new(Node::$node(self.into(), other.clone()))
            }
        }
    };
}

operator!(Add, add, Add);
operator!(Sub, sub, Subtract);
operator!(Mul, mul, Multiply);
operator!(Div, div, Divide);

impl Neg for Expr {
    type Output = Self;

    fn neg(self) -> Self {
        -1.0 * self
    }
}
