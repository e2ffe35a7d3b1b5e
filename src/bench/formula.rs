//! Formulas: expressions laid out in order of evaluation.
//!
//! A formula can be evaluated, differentiated, expressed as a function of one case's sample, and printed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::case::CaseId;
use super::expr::{Expr, Function, Node};

/// The values with which a formula is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    /// Typical sample time by case, in seconds at level 1; NaN for a case without a typical time.
    pub(super) times: &'a [f64],
    /// Factor by which all sample times are longer than at level 1.
    pub(super) level: f64,
    /// Units of work in one sample, by case.
    pub(super) scales: &'a [u32],
}

/// One step of the evaluation. Its operands are indices of earlier steps.
enum Step {
    Number(f64),
    Time(usize),
    Scale(usize),
    Add(usize, usize),
    Subtract(usize, usize),
    Multiply(usize, usize),
    Divide(usize, usize),
    Sum(Vec<usize>),
    Extreme { of: Vec<usize>, largest: bool, known: bool },
    Positive(usize),
    Call { name: &'static str, of: Vec<usize>, lenient: bool, function: Function },
}

/// A figure ready for evaluation.
///
/// The last step is the figure. A subexpression that occurs more than once is evaluated once.
pub(super) struct Formula {
    steps: Vec<Step>,
}

/// A figure as a function of the sample time `s` of one case, in seconds: `(offset + factor·s)^power`.
///
/// All other cases take their typical times. The power is 1 or −1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) offset: f64,
    pub(super) factor: f64,
    pub(super) power: i32,
}

impl From<&Expr> for Formula {
    fn from(expr: &Expr) -> Self {
        let mut formula = Self { steps: Vec::new() };
        formula.add(expr, &mut HashMap::new());
        formula
    }
}

impl Formula {
    fn add(&mut self, expr: &Expr, known: &mut HashMap<*const Node, usize>) -> usize {
        let key = Arc::as_ptr(&expr.0);
        if let Some(&place) = known.get(&key) {
            return place;
        }
        let mut all = |of: &[Expr]| of.iter().map(|expr| self.add(expr, known)).collect();
        let step = match &*expr.0 {
            Node::Number(number) => Step::Number(*number),
            Node::Time(CaseId(case)) => Step::Time(*case),
            Node::Scale(CaseId(case)) => Step::Scale(*case),
            Node::Add(a, b) => Step::Add(self.add(a, known), self.add(b, known)),
            Node::Subtract(a, b) => Step::Subtract(self.add(a, known), self.add(b, known)),
            Node::Multiply(a, b) => Step::Multiply(self.add(a, known), self.add(b, known)),
            Node::Divide(a, b) => Step::Divide(self.add(a, known), self.add(b, known)),
            Node::Sum(of) => Step::Sum(all(of)),
            Node::Extreme { of, largest, known } => {
                Step::Extreme { of: all(of), largest: *largest, known: *known }
            }
            Node::Positive(of) => Step::Positive(self.add(of, known)),
            Node::Call { name, of, lenient, function } => {
                let (lenient, function) = (*lenient, Arc::clone(function));
                Step::Call { name, of: all(of), lenient, function }
            }
        };
        self.steps.push(step);
        known.insert(key, self.steps.len() - 1);
        self.steps.len() - 1
    }

    /// Returns the value of the figure.
    pub(super) fn evaluate(&self, values: Values<'_>) -> f64 {
        self.evaluate_all(values).last().copied().expect("a formula has at least one step")
    }

    /// Returns the value of every step.
    fn evaluate_all(&self, values: Values<'_>) -> Vec<f64> {
        let mut found = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let value = step.evaluate(&found, values);
            found.push(value);
        }
        found
    }

    /// Returns the cases that the figure is computed from.
    ///
    /// The cases of an unknown operand that [`Expr::min_known`] or [`Expr::max_known`] ignores are not
    /// included.
    pub(super) fn cases(&self, values: Values<'_>) -> BTreeSet<usize> {
        let found = self.evaluate_all(values);
        let (mut open, mut seen) = (vec![self.steps.len() - 1], BTreeSet::new());
        let mut cases = BTreeSet::new();
        while let Some(place) = open.pop() {
            if !seen.insert(place) {
                continue;
            }
            let step = &self.steps[place];
            if let Step::Time(case) = step {
                cases.insert(*case);
            }
            let without_unknown = matches!(step, Step::Extreme { known: true, .. });
            let needed = step.operands().into_iter();
            open.extend(needed.filter(|&of| !(without_unknown && found[of].is_nan())));
        }
        cases
    }

    /// Returns the derivative of the figure with respect to each case's sample time, in the figure's unit per
    /// second.
    ///
    /// # Formula
    /// Reverse accumulation: df/dx of every step, from the last step to the first. The derivative of a called
    /// function is the central difference over ±10⁻⁶ of each operand, relative to its value. So the
    /// derivative of a function with whole-number results is 0, except within that distance of a step.
    pub(super) fn gradient(&self, values: Values<'_>) -> BTreeMap<usize, f64> {
        let found = self.evaluate_all(values);
        let mut slopes = vec![0.0; self.steps.len()];
        slopes[self.steps.len() - 1] = 1.0;
        let mut gradient = BTreeMap::new();
        for (place, step) in self.steps.iter().enumerate().rev() {
            let slope = slopes[place];
            if let Step::Time(case) = step {
                *gradient.entry(*case).or_insert(0.0) += slope;
            }
            if slope != 0.0 {
                for (of, partial) in step.partials(&found) {
                    slopes[of] += slope * partial;
                }
            }
        }
        gradient
    }

    /// Returns the figure as a function of one case's sample time.
    ///
    /// Returns `None` if neither the figure nor its inverse is linear in that time, or if the figure does not
    /// depend on it.
    pub(super) fn line(&self, case: usize, values: Values<'_>) -> Option<Line> {
        let found = self.evaluate_all(values);
        let mut fractions: Vec<Option<Fraction>> = Vec::with_capacity(self.steps.len());
        for (place, step) in self.steps.iter().enumerate() {
            let fraction = step.fraction(case, &fractions, &found, found[place]);
            fractions.push(fraction);
        }
        let Fraction { above: [a, b], below: [c, d] } = fractions.pop().flatten()?;
        let line = match (b != 0.0, d != 0.0) {
            (true, false) => Line { offset: a / c, factor: b / c, power: 1 },
            (false, true) => Line { offset: c / a, factor: d / a, power: -1 },
            _ => return None,
        };
        (line.offset.is_finite() && line.factor.is_finite() && line.factor != 0.0).then_some(line)
    }

    /// Returns the formula as text. `names` contains the name of each case.
    pub(super) fn text(&self, names: &[&str]) -> String {
        let mut written: Vec<(String, u8)> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let text = step.text(&written, names);
            written.push(text);
        }
        written.pop().expect("a formula has at least one step").0
    }
}

impl Step {
    fn operands(&self) -> Vec<usize> {
        match self {
            Self::Number(_) | Self::Time(_) | Self::Scale(_) => Vec::new(),
            Self::Add(a, b) | Self::Subtract(a, b) | Self::Multiply(a, b) | Self::Divide(a, b) => {
                vec![*a, *b]
            }
            Self::Positive(a) => vec![*a],
            Self::Sum(of) | Self::Extreme { of, .. } | Self::Call { of, .. } => of.clone(),
        }
    }

    fn evaluate(&self, found: &[f64], values: Values<'_>) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Time(case) => values.times[*case] * values.level,
            Self::Scale(case) => f64::from(values.scales[*case]),
            Self::Add(a, b) => found[*a] + found[*b],
            Self::Subtract(a, b) => found[*a] - found[*b],
            Self::Multiply(a, b) => found[*a] * found[*b],
            Self::Divide(a, b) => found[*a] / found[*b],
            Self::Sum(of) => of.iter().map(|&of| found[of]).sum(),
            Self::Extreme { .. } => self.chosen(found).map_or(f64::NAN, |chosen| found[chosen]),
            Self::Positive(of) if found[*of] > 0.0 => found[*of],
            Self::Positive(_) => f64::NAN,
            Self::Call { of, lenient, function, .. } => {
                let of: Vec<f64> = of.iter().map(|&of| found[of]).collect();
                let unknown = !lenient && of.iter().any(|value| value.is_nan());
                if unknown { f64::NAN } else { function(&of) }
            }
        }
    }

    /// Returns the operand with the largest or the smallest value; `None` if that operand is unknown.
    fn chosen(&self, found: &[f64]) -> Option<usize> {
        let Self::Extreme { of, largest, known } = self else { return None };
        if !known && of.iter().any(|&of| found[of].is_nan()) {
            return None;
        }
        let each = of.iter().copied().filter(|&of| !found[of].is_nan());
        each.reduce(|best, of| {
            let better = if *largest { found[of] > found[best] } else { found[of] < found[best] };
            if better { of } else { best }
        })
    }

    /// Returns the derivative of the step with respect to each operand.
    fn partials(&self, found: &[f64]) -> Vec<(usize, f64)> {
        match self {
            Self::Number(_) | Self::Time(_) | Self::Scale(_) => Vec::new(),
            Self::Add(a, b) => vec![(*a, 1.0), (*b, 1.0)],
            Self::Subtract(a, b) => vec![(*a, 1.0), (*b, -1.0)],
            Self::Multiply(a, b) => vec![(*a, found[*b]), (*b, found[*a])],
            Self::Divide(a, b) => {
                vec![(*a, 1.0 / found[*b]), (*b, -found[*a] / (found[*b] * found[*b]))]
            }
            Self::Sum(of) => of.iter().map(|&of| (of, 1.0)).collect(),
            Self::Extreme { .. } => self.chosen(found).map(|of| (of, 1.0)).into_iter().collect(),
            Self::Positive(of) => vec![(*of, 1.0)],
            Self::Call { of, lenient: false, .. } if of.iter().any(|&of| found[of].is_nan()) => {
                Vec::new()
            }
            Self::Call { of, function, .. } => {
                let at: Vec<f64> = of.iter().map(|&of| found[of]).collect();
                let partial = |index: usize| {
                    let step = 1e-6 * at[index].abs();
                    let moved = |by: f64| {
                        let mut at = at.clone();
                        at[index] += by;
                        function(&at)
                    };
                    let slope = (moved(step) - moved(-step)) / (2.0 * step);
                    if slope.is_finite() { slope } else { 0.0 }
                };
                of.iter().enumerate().map(|(index, &of)| (of, partial(index))).collect()
            }
        }
    }

    /// Returns the step as a fraction of two linear functions of one case's sample time; `None` if the step
    /// has no such form.
    fn fraction(
        &self,
        case: usize,
        of: &[Option<Fraction>],
        found: &[f64],
        value: f64,
    ) -> Option<Fraction> {
        let constant = |place: &usize| of[*place].is_some_and(Fraction::is_constant);
        if !matches!(self, Self::Time(_)) && self.operands().iter().all(constant) {
            return Some(Fraction::constant(value));
        }
        match self {
            Self::Time(of) if *of == case => {
                Some(Fraction { above: [0.0, 1.0], below: [1.0, 0.0] })
            }
            Self::Time(_) => Some(Fraction::constant(value)),
            Self::Add(a, b) => of[*a]?.plus(of[*b]?, 1.0),
            Self::Subtract(a, b) => of[*a]?.plus(of[*b]?, -1.0),
            Self::Multiply(a, b) => of[*a]?.times(of[*b]?),
            Self::Divide(a, b) => of[*a]?.times(of[*b]?.inverse()),
            Self::Sum(all) => all
                .iter()
                .try_fold(Fraction::constant(0.0), |sum, &place| sum.plus(of[place]?, 1.0)),
            Self::Extreme { .. } => of[self.chosen(found)?],
            Self::Positive(place) => of[*place],
            Self::Number(_) | Self::Scale(_) | Self::Call { .. } => None,
        }
    }

    /// Returns the step as text, with its precedence: 0 for a sum, 1 for a product, 2 for a name or a call.
    fn text(&self, written: &[(String, u8)], names: &[&str]) -> (String, u8) {
        let part = |place: usize, least: u8| {
            let (text, precedence) = &written[place];
            if *precedence < least { format!("({text})") } else { text.clone() }
        };
        let list = |of: &[usize]| of.iter().map(|&of| part(of, 0)).collect::<Vec<_>>().join(", ");
        match self {
            Self::Number(number) => (number.to_string(), if *number < 0.0 { 0 } else { 2 }),
            Self::Time(case) => (format!("T[{}]", names[*case]), 2),
            Self::Scale(case) => (format!("n[{}]", names[*case]), 2),
            Self::Add(a, b) => (format!("{} + {}", part(*a, 0), part(*b, 0)), 0),
            Self::Subtract(a, b) => (format!("{} − {}", part(*a, 0), part(*b, 1)), 0),
            Self::Multiply(a, b) => (format!("{}·{}", part(*a, 1), part(*b, 1)), 1),
            Self::Divide(a, b) => (format!("{} / {}", part(*a, 1), part(*b, 2)), 1),
            Self::Sum(of) => (format!("Σ({})", list(of)), 2),
            Self::Extreme { of, largest, .. } => {
                (format!("{}({})", if *largest { "max" } else { "min" }, list(of)), 2)
            }
            Self::Positive(of) => written[*of].clone(),
            Self::Call { name, of, .. } => (format!("{name}({})", list(of)), 2),
        }
    }
}

/// The function (a + b·s) / (c + d·s) of a sample time s; `above` is [a, b] and `below` is [c, d].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fraction {
    above: [f64; 2],
    below: [f64; 2],
}

impl Fraction {
    fn constant(value: f64) -> Self {
        Self { above: [value, 0.0], below: [1.0, 0.0] }
    }

    fn is_constant(self) -> bool {
        self.above[1] == 0.0 && self.below[1] == 0.0
    }

    fn is_linear(self) -> bool {
        self.below[1] == 0.0
    }

    fn inverse(self) -> Self {
        Self { above: self.below, below: self.above }
    }

    fn plus(self, other: Self, sign: f64) -> Option<Self> {
        let linear = self.is_linear() && other.is_linear();
        linear.then(|| {
            let ([c, _], [g, _]) = (self.below, other.below);
            let part = |index: usize| self.above[index] / c + sign * other.above[index] / g;
            Self { above: [part(0), part(1)], below: [1.0, 0.0] }
        })
    }

    fn times(self, other: Self) -> Option<Self> {
        let product = |a: [f64; 2], b: [f64; 2]| {
            let quadratic = a[1] != 0.0 && b[1] != 0.0;
            (!quadratic).then(|| [a[0] * b[0], a[0] * b[1] + a[1] * b[0]])
        };
        Some(Self {
            above: product(self.above, other.above)?,
            below: product(self.below, other.below)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: [f64; 4] = [8.0, 5.0, 3.0, f64::NAN];
    const VALUES: Values<'static> = Values { times: &TIMES, level: 1.0, scales: &[2, 10, 1, 1] };
    const A: CaseId = CaseId(0);
    const B: CaseId = CaseId(1);
    const C: CaseId = CaseId(2);
    const UNKNOWN: CaseId = CaseId(3);

    fn formula(expr: impl Into<Expr>) -> Formula {
        Formula::from(&expr.into())
    }

    #[test]
    fn figures_match_hand_computed_values() {
        let at = |expr: Expr| formula(expr).evaluate(VALUES);
        assert_eq!(at(A.per_unit()), 4.0);
        assert_eq!(at(A.above(C)), 5.0);
        assert_eq!(at(A.per_unit_above(C)), 2.5);
        assert_eq!(at(A.per_unit_beyond(B)), 3.5);
        assert_eq!(at(2.0 * A.time() - B.time() / 5.0 + 1.0), 16.0);
        assert_eq!(at(Expr::sum([A.time(), B.time(), C.time()])), 16.0);
        assert_eq!(at(Expr::max([A.time(), B.time()])), 8.0);
        assert_eq!(at(Expr::call("half", [A.time()], |[a]| a / 2.0)), 4.0);
        assert_eq!(at(-A.time()), -8.0);
    }

    #[test]
    fn an_unknown_operand_makes_a_figure_unknown_unless_it_is_ignored() {
        let at = |expr: Expr| formula(expr).evaluate(VALUES);
        assert!(at(Expr::max([A.time(), UNKNOWN.time()])).is_nan());
        assert_eq!(at(Expr::min_known([A.time(), UNKNOWN.time(), C.time()])), 3.0);
        assert!(at(Expr::max_known([UNKNOWN.time()])).is_nan());
        assert!(at(C.above(A).positive()).is_nan());
        assert!(at(Expr::call("one", [UNKNOWN.time()], |_| 1.0)).is_nan());
        assert_eq!(at(Expr::lenient("one", [UNKNOWN.time()], |_| 1.0)), 1.0);
        let needed = |expr: Expr| formula(expr).cases(VALUES);
        assert_eq!(needed(Expr::min_known([A.time(), UNKNOWN.time()])), [0].into());
        assert_eq!(needed(Expr::min([A.time(), UNKNOWN.time()])), [0, 3].into());
    }

    #[test]
    fn the_gradient_matches_hand_computed_derivatives() {
        let expr = A.above(C) / B.time();
        let gradient = formula(expr).gradient(VALUES);
        assert_eq!(gradient, [(0, 1.0 / 5.0), (1, -5.0 / 25.0), (2, -1.0 / 5.0)].into());
        let square = Expr::call("square", [A.time()], |[a]| a * a);
        let slope = formula(square).gradient(VALUES)[&0];
        assert!((slope - 16.0).abs() < 1e-6, "{slope}");
        let whole = Expr::call("knee", [A.time()], |[a]| if a < 10.0 { 8.0 } else { 16.0 });
        assert_eq!(formula(whole).gradient(VALUES)[&0], 0.0);
        let larger = Expr::max([A.time(), B.time()]);
        assert_eq!(formula(larger).gradient(VALUES), [(0, 1.0), (1, 0.0)].into());
    }

    #[test]
    fn a_line_exists_if_the_figure_or_its_inverse_is_linear() {
        let line = |expr: Expr, case: CaseId| formula(expr).line(case.0, VALUES);
        let linear = |offset, factor| Some(Line { offset, factor, power: 1 });
        assert_eq!(line(A.above(C) / 4.0, A), linear(-0.75, 0.25));
        assert_eq!(line(Expr::sum([A.time(), A.time()]), A), linear(0.0, 2.0));
        let speed_up = A.time() / B.above(C);
        let inverse = Line { offset: -3.0 / 8.0, factor: 1.0 / 8.0, power: -1 };
        assert_eq!(line(speed_up, B), Some(inverse));
        assert_eq!(
            line(A.time() / (A.time() + 1.0), A),
            None,
            "neither the fraction nor its inverse is linear"
        );
        assert_eq!(line(A.time() * A.time(), A), None);
        assert_eq!(line(B.time(), A), None, "the figure does not depend on the case");
        assert_eq!(line(Expr::max([A.time(), B.time()]).positive(), A), linear(0.0, 1.0));
    }

    #[test]
    fn text_uses_the_usual_notation_and_only_necessary_parentheses() {
        let text = |expr: Expr| formula(expr).text(&["a", "b", "c", "d"]);
        assert_eq!(text(A.per_unit_above(C)), "(T[a] − T[c]) / n[a]");
        assert_eq!(text(2.0 * (A.time() - (B.time() - C.time()))), "2·(T[a] − (T[b] − T[c]))");
        assert_eq!(
            text(Expr::max([A.time() / (B.time() * 2.0), 1.0.into()])),
            "max(T[a] / (T[b]·2), 1)"
        );
        let call = Expr::call("ring", [A.time(), B.time()], |[a, b]| a + b);
        assert_eq!(text(call.positive()), "ring(T[a], T[b])");
    }

    #[test]
    fn a_shared_subexpression_is_evaluated_once() {
        let shared = A.above(B);
        let formula = formula(&shared * &shared + &shared);
        assert_eq!(formula.steps.len(), 5);
    }
}
