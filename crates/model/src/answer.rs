//! The three answers.

/// Kleene's strong three-valued logic: true, false, and not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Known to be false.
    False,
    /// Not known.
    Unknown,
    /// Known to be true.
    True,
}

impl Truth {
    /// Conjunction: false if either is false, whatever the other.
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    /// Disjunction: true if either is true, whatever the other.
    pub fn or(self, other: Truth) -> Truth {
        !(!self).and(!other)
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(b: bool) -> Truth {
        if b { Truth::True } else { Truth::False }
    }
}

/// What a check says of a resource. Ordered by how much a reader wants to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The defect is there.
    Fail,
    /// Something that decides it could not be read.
    Unknown,
    /// Proven: the defect is not there.
    Pass,
}

impl Verdict {
    /// `fail`, `unknown` or `pass`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
            Verdict::Pass => "pass",
        }
    }
}

/// A check states when it fails: true is a failure.
impl From<Truth> for Verdict {
    fn from(fails: Truth) -> Verdict {
        match fails {
            Truth::True => Verdict::Fail,
            Truth::Unknown => Verdict::Unknown,
            Truth::False => Verdict::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    #[test]
    fn kleene_tables() {
        let all = [False, Unknown, True];
        let and = [[False, False, False], [False, Unknown, Unknown], [False, Unknown, True]];
        for (i, a) in all.into_iter().enumerate() {
            for (j, b) in all.into_iter().enumerate() {
                assert_eq!(a.and(b), and[i][j]);
                assert_eq!(a.or(b), !((!a).and(!b)));
            }
        }
        assert_eq!(Truth::from(true).or(Unknown), True);
    }
}
