//! Identifiers, parsed once at the edge.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Text;

/// Text that is not the identifier it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdError {
    /// What was expected.
    pub expected: &'static str,
    /// What was there (at most 200 characters).
    pub found: String,
}

impl IdError {
    fn new(expected: &'static str, found: &str) -> IdError {
        IdError { expected, found: found.chars().take(200).collect() }
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.found, self.expected)
    }
}

impl std::error::Error for IdError {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Text);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The identifier as shared text.
            pub fn text(&self) -> &Text {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A CloudFormation type name, `AWS::S3::Bucket`, or one of our own pseudo types, `Palisade::Account::Settings`.
    TypeName
}

impl TypeName {
    /// Takes any text with two or more `::`-separated parts.
    pub fn new(name: &str) -> Result<TypeName, IdError> {
        let parts = name.split("::");
        let fine = parts.clone().count() >= 2
            && name.len() <= 204
            && parts
                .clone()
                .all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '@'));
        if fine {
            Ok(TypeName(Text::from(name)))
        } else {
            Err(IdError::new("a resource type name such as `AWS::S3::Bucket`", name))
        }
    }

    /// `AWS::S3` of `AWS::S3::Bucket`.
    pub fn service(&self) -> &str {
        match self.0.rfind("::") {
            Some(at) => self.0.get(..at).unwrap_or(&self.0),
            None => &self.0,
        }
    }
}

id! {
    /// A check's id, which is its file's name: `s3-bucket-public`.
    CheckId
}

impl CheckId {
    /// Takes kebab-case text.
    pub fn new(id: &str) -> Result<CheckId, IdError> {
        let fine = !id.is_empty()
            && id.len() <= 100
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && id.starts_with(|c: char| c.is_ascii_lowercase())
            && !id.ends_with('-')
            && !id.contains("--");
        if fine { Ok(CheckId(Text::from(id))) } else { Err(IdError::new("a check id in kebab-case", id)) }
    }
}

id! {
    /// Twelve digits.
    AccountId
}

impl AccountId {
    /// Takes exactly twelve digits.
    pub fn new(id: &str) -> Result<AccountId, IdError> {
        if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) {
            Ok(AccountId(Text::from(id)))
        } else {
            Err(IdError::new("an account id of twelve digits", id))
        }
    }
}

id! {
    /// A Region code, `eu-central-1`.
    Region
}

impl Region {
    /// Takes lower-case letters, digits and hyphens; new Regions come faster than lists are kept.
    pub fn new(code: &str) -> Result<Region, IdError> {
        let fine = (3..=32).contains(&code.len())
            && code.contains('-')
            && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fine { Ok(Region(Text::from(code))) } else { Err(IdError::new("a Region code such as `eu-central-1`", code)) }
    }

    /// The partition that the Region belongs to, by its prefix.
    pub fn partition(&self) -> Partition {
        let code = self.as_str();
        if code.starts_with("cn-") {
            Partition::China
        } else if code.starts_with("us-gov-") {
            Partition::GovCloud
        } else if code.starts_with("eusc-") {
            Partition::EuropeanSovereign
        } else if code.starts_with("us-isob-") {
            Partition::IsoB
        } else if code.starts_with("us-iso-") {
            Partition::Iso
        } else if code.starts_with("eu-isoe-") {
            Partition::IsoE
        } else if code.starts_with("us-isof-") {
            Partition::IsoF
        } else {
            Partition::Aws
        }
    }
}

/// A group of Regions with its own accounts and its own ARNs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Partition {
    /// `aws`
    Aws,
    /// `aws-cn`
    China,
    /// `aws-us-gov`
    GovCloud,
    /// `aws-eusc`
    EuropeanSovereign,
    /// `aws-iso`
    Iso,
    /// `aws-iso-b`
    IsoB,
    /// `aws-iso-e`
    IsoE,
    /// `aws-iso-f`
    IsoF,
}

impl Partition {
    /// The name as ARNs write it.
    pub fn name(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::China => "aws-cn",
            Partition::GovCloud => "aws-us-gov",
            Partition::EuropeanSovereign => "aws-eusc",
            Partition::Iso => "aws-iso",
            Partition::IsoB => "aws-iso-b",
            Partition::IsoE => "aws-iso-e",
            Partition::IsoF => "aws-iso-f",
        }
    }

    /// What `AWS::URLSuffix` gives.
    pub fn url_suffix(self) -> &'static str {
        match self {
            Partition::Aws | Partition::GovCloud => "amazonaws.com",
            Partition::China => "amazonaws.com.cn",
            Partition::EuropeanSovereign => "amazonaws.eu",
            Partition::Iso => "c2s.ic.gov",
            Partition::IsoB => "sc2s.sgov.gov",
            Partition::IsoE => "cloud.adc-e.uk",
            Partition::IsoF => "csp.hci.ic.gov",
        }
    }
}

/// An Amazon Resource Name: `arn:partition:service:region:account:resource`. The resource part may hold colons.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arn(Text);

impl Arn {
    /// Takes text with `arn:` and at least five colons.
    pub fn new(arn: &str) -> Result<Arn, IdError> {
        if arn.starts_with("arn:") && arn.bytes().filter(|b| *b == b':').count() >= 5 {
            Ok(Arn(Text::from(arn)))
        } else {
            Err(IdError::new("an ARN (arn:partition:service:region:account:resource)", arn))
        }
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `aws`, `aws-cn`, ...
    pub fn partition(&self) -> &str {
        self.field(1)
    }

    /// `s3`, `iam`, ...
    pub fn service(&self) -> &str {
        self.field(2)
    }

    /// The Region; empty for global resources.
    pub fn region(&self) -> &str {
        self.field(3)
    }

    /// The account; empty for S3 buckets and AWS's own.
    pub fn account(&self) -> &str {
        self.field(4)
    }

    /// All after the fifth colon.
    pub fn resource(&self) -> &str {
        self.field(5)
    }

    fn field(&self, n: usize) -> &str {
        self.0.splitn(6, ':').nth(n).unwrap_or_default()
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arn_fields() {
        let arn = Arn::new("arn:aws:lambda:eu-west-1:123456789012:function:a:b").unwrap();
        assert_eq!(
            (arn.service(), arn.region(), arn.account(), arn.resource()),
            ("lambda", "eu-west-1", "123456789012", "function:a:b")
        );
        assert!(Arn::new("arn:aws:s3").is_err());
    }

    #[test]
    fn what_is_refused() {
        assert!(TypeName::new("S3").is_err());
        assert!(TypeName::new("AWS::").is_err());
        assert_eq!(TypeName::new("AWS::S3::Bucket").unwrap().service(), "AWS::S3");
        assert!(CheckId::new("S3-public").is_err());
        assert!(AccountId::new("12345678901").is_err());
        assert_eq!(Region::new("us-gov-west-1").unwrap().partition().name(), "aws-us-gov");
    }
}
