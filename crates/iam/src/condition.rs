//! Whether a condition holds for a request.
//!
//! Source: IAM user guide, "Condition operators" and "Set operators for multivalued context keys".

use model::{Text, Truth};

use crate::document::Clause;
use crate::glob::Variables;
use crate::operator::{Compare, Operand, Operator, Quantifier};
use crate::request::{Context, Entry};

impl Clause {
    /// Whether the clause holds in this context.
    #[inline]
    pub(crate) fn holds(&self, context: &Context) -> Truth {
        self.holds_for(context.get(&self.key), context)
    }

    /// Whether the clause holds if its key has this entry.
    ///
    /// A missing key fails every positive comparison, satisfies every negated one, `...IfExists` and `ForAllValues:`, and
    /// fails `ForAnyValue:`. Without a set operator a multi-valued key satisfies nothing.
    pub(crate) fn holds_for(&self, entry: &Entry, variables: &dyn Variables) -> Truth {
        if self.operator.compare == Compare::Null {
            return self.is_null(entry);
        }
        let values: &[Text] = match entry {
            Entry::Unknown => return Truth::Unknown,
            Entry::Absent => &[],
            Entry::Values(values) | Entry::Many(values) => values,
        };
        let Operator { negated, quantifier, if_exists, .. } = self.operator;
        if values.is_empty() && if_exists {
            return Truth::True;
        }
        match (quantifier, values) {
            (Quantifier::All, _) => values.iter().fold(Truth::True, |all, v| all.and(self.value_holds(v, variables))),
            (Quantifier::Any, _) => values.iter().fold(Truth::False, |any, v| any.or(self.value_holds(v, variables))),
            (Quantifier::One, []) => Truth::from(negated),
            (Quantifier::One, [value]) if !matches!(entry, Entry::Many(_)) => self.value_holds(value, variables),
            (Quantifier::One, _) => Truth::False,
        }
    }

    /// Whether one value compares as asked: with any operand, or with none if negated. What cannot be compared at all (a date
    /// with a word) satisfies no comparison, negated or not.
    pub(crate) fn value_holds(&self, value: &str, variables: &dyn Variables) -> Truth {
        let Operator { compare, negated, .. } = self.operator;
        let (mut any, mut comparable) = (Truth::False, true);
        for operand in &self.operands {
            match compare.holds(value, operand, variables) {
                Some(truth) => any = any.or(truth),
                None => comparable = false,
            }
            if any == Truth::True {
                break;
            }
        }
        match (negated, comparable) {
            (false, _) => any,
            (true, true) => !any,
            (true, false) => Truth::False,
        }
    }

    fn is_null(&self, entry: &Entry) -> Truth {
        let missing = match entry {
            Entry::Unknown => Truth::Unknown,
            Entry::Absent => Truth::True,
            Entry::Values(values) | Entry::Many(values) => Truth::from(values.is_empty()),
        };
        self.operands.iter().fold(Truth::False, |any, operand| {
            any.or(match operand {
                Operand::Bool(Some(true)) => missing,
                Operand::Bool(Some(false)) => !missing,
                Operand::Bool(None) => Truth::False,
                _ => Truth::Unknown,
            })
        })
    }
}
