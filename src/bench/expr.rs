//! Figures as expressions, built with operators from cases, constants and functions.
//!
//! A closure can only be called; an expression can also be inspected. From an expression follow the cases
//! that the figure needs, its derivatives, its value for a single sample of a case, and its formula as text.
//!
//! Many figures subtract a *floor case*, such as an empty loop or an empty dispatch. A floor case measures
//! the cost that other cases have in common.

use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

use super::case::CaseId;

/// A function of several figures.
pub(super) type Function = Arc<dyn Fn(&[f64]) -> f64 + Send + Sync>;

/// A figure, computed from the typical sample times of cases. Clones are cheap, since they share their
/// operands.
///
/// An unknown figure is NaN. Every figure computed from an unknown figure is NaN too, except those built by
/// [`Expr::min_known`], [`Expr::max_known`] and [`Expr::lenient`].
#[derive(Clone)]
pub struct Expr(pub(super) Arc<Node>);

pub(super) enum Node {
    Number(f64),
    /// Typical sample time of a case, in seconds.
    Time(CaseId),
    /// Units of work in one sample of a case.
    Scale(CaseId),
    Add(Expr, Expr),
    Subtract(Expr, Expr),
    Multiply(Expr, Expr),
    Divide(Expr, Expr),
    Sum(Vec<Expr>),
    /// The largest or the smallest operand.
    Extreme {
        of: Vec<Expr>,
        largest: bool,
        /// Whether unknown operands are ignored.
        known: bool,
    },
    /// The operand if it is greater than zero, else NaN.
    Positive(Expr),
    Call {
        name: &'static str,
        of: Vec<Expr>,
        /// Whether the function is called even if an operand is NaN.
        lenient: bool,
        function: Function,
    },
}

impl Expr {
    fn new(node: Node) -> Self {
        Self(Arc::new(node))
    }

    /// Builds the sum of `of`; 0 if `of` is empty.
    pub fn sum(of: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Node::Sum(of.into_iter().collect()))
    }

    /// Builds the maximum of `of`; NaN if any operand is NaN or `of` is empty.
    pub fn max(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, true, false)
    }

    /// Builds the minimum of `of`; NaN if any operand is NaN or `of` is empty.
    pub fn min(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, false, false)
    }

    /// Builds the maximum of the operands that are not NaN; NaN if all of them are.
    pub fn max_known(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, true, true)
    }

    /// Builds the minimum of the operands that are not NaN; NaN if all of them are.
    pub fn min_known(of: impl IntoIterator<Item = Self>) -> Self {
        Self::extreme(of, false, true)
    }

    fn extreme(of: impl IntoIterator<Item = Self>, largest: bool, known: bool) -> Self {
        Self::new(Node::Extreme { of: of.into_iter().collect(), largest, known })
    }

    /// Replaces a value that is not greater than zero by NaN.
    ///
    /// Use this for a difference of times that noise can reduce to zero or less.
    #[must_use]
    pub fn positive(self) -> Self {
        Self::new(Node::Positive(self))
    }

    /// Builds a call of `function` with the values of `of`.
    ///
    /// The result is NaN, without a call, if any of the values is NaN. `name` stands for the function in the
    /// formula's text.
    pub fn call<const N: usize>(
        name: &'static str,
        of: [Self; N],
        function: impl Fn([f64; N]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let function = move |of: &[f64]| function(of.try_into().expect("a call has N operands"));
        Self::new(Node::Call { name, of: of.into(), lenient: false, function: Arc::new(function) })
    }

    /// Builds a call of `function` with the values of `of`, any of which may be NaN.
    ///
    /// Use this for a knee or a crossing in a sweep that may have gaps.
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
    /// Returns the typical sample time, in seconds.
    #[must_use]
    pub fn time(self) -> Expr {
        Expr::new(Node::Time(self))
    }

    /// Returns the units of work in one sample.
    #[must_use]
    pub fn scale(self) -> Expr {
        Expr::new(Node::Scale(self))
    }

    /// Returns the seconds per unit of work, with no floor case subtracted.
    #[must_use]
    pub fn per_unit(self) -> Expr {
        self.time() / self.scale()
    }

    /// Returns the seconds by which a sample exceeds a sample of the floor case.
    #[must_use]
    pub fn above(self, floor: Self) -> Expr {
        self.time() - floor.time()
    }

    /// Returns the seconds by which a sample exceeds a sample of the floor case, per unit of work of this
    /// case.
    #[must_use]
    pub fn per_unit_above(self, floor: Self) -> Expr {
        self.above(floor) / self.scale()
    }

    /// Returns the seconds per unit of work, less the seconds per unit of work of the floor case.
    ///
    /// Each case is divided by its own scale.
    #[must_use]
    pub fn per_unit_beyond(self, floor: Self) -> Expr {
        self.per_unit() - floor.per_unit()
    }
}

/// Implements an operator for expressions, references to expressions, and numbers.
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
