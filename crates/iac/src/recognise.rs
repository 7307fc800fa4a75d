//! What kind of file something is, from its name and its text, without parsing it.

use std::path::Path;

/// What kind of file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A CloudFormation template, SAM and CDK output among them.
    CloudFormation,
    /// What `terraform show -json` says of a plan.
    TerraformPlan,
    /// A Terraform state, or what `terraform show -json` says of one.
    TerraformState,
    /// The manifest of a `cdk.out` folder.
    CdkOut,
    /// A saved answer of the AWS CLI.
    AwsCliAnswer,
    /// None of these, for this reason.
    Other(Why),
}

/// Why a file is of no kind that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is nothing in it.
    Empty,
    /// It is not text.
    Binary,
    /// It is Terraform configuration, of which a plan has to be made.
    TerraformConfiguration,
    /// It is text that none of the kinds looks like.
    Unknown,
}

impl Why {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Why::Empty => "the file is empty",
            Why::Binary => "the file is not text",
            Why::TerraformConfiguration => "Terraform configuration is not read; its plan is",
            Why::Unknown => "it is neither a template nor a Terraform plan or state",
        }
    }
}

/// Members of answers that list resources. Source: the output shapes of the operations in the AWS API reference.
const ANSWERS: &[&str] = &[
    "AccountAuthorizationDetails",
    "AutoScalingGroups",
    "Buckets",
    "CacheClusters",
    "CertificateSummaryList",
    "DBClusters",
    "DBInstances",
    "DistributionList",
    "Functions",
    "GroupDetailList",
    "Groups",
    "HostedZones",
    "Images",
    "Instances",
    "InternetGateways",
    "Keys",
    "LaunchTemplates",
    "LoadBalancers",
    "NatGateways",
    "NetworkAcls",
    "NetworkInterfaces",
    "Policies",
    "QueueUrls",
    "Reservations",
    "Roles",
    "RouteTables",
    "SecretList",
    "SecurityGroups",
    "Snapshots",
    "Subnets",
    "TableNames",
    "Topics",
    "UserDetailList",
    "Users",
    "Volumes",
    "VpcEndpoints",
    "Vpcs",
    "clusterArns",
    "clusters",
    "repositories",
    "trailList",
];

/// Bytes at the start that are looked at for what is not text.
const BINARY_BYTES: usize = 8 << 10;

/// What kind of file this is. `text` is all of it, or at least its first part.
pub fn recognise(path: &Path, text: &[u8]) -> Kind {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.iter().take(BINARY_BYTES).any(|b| *b == 0) {
        return Kind::Other(Why::Binary);
    }
    if path.extension().is_some_and(|e| e == "tf") {
        return Kind::Other(Why::TerraformConfiguration);
    }
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        None => Kind::Other(Why::Empty),
        Some(b'{') => of_json(text),
        Some(_) => of_yaml(text),
    }
}

fn of_json(text: &[u8]) -> Kind {
    let mut seen = Seen::default();
    let mut scan = Scan { rest: text, depth: 0 };
    while let Some(key) = scan.next_key() {
        if let Some(kind) = seen.key(key) {
            return kind;
        }
    }
    seen.end()
}

/// The outermost keys met so far.
#[derive(Default)]
struct Seen {
    format: bool,
    terraform: bool,
    version: bool,
    answer: bool,
}

impl Seen {
    fn key(&mut self, key: &[u8]) -> Option<Kind> {
        match key {
            b"Resources" | b"AWSTemplateFormatVersion" => return Some(Kind::CloudFormation),
            b"planned_values" | b"resource_changes" => return Some(Kind::TerraformPlan),
            b"values" if self.format => return Some(Kind::TerraformState),
            b"serial" | b"lineage" if self.version => return Some(Kind::TerraformState),
            b"artifacts" if self.version => return Some(Kind::CdkOut),
            b"format_version" => self.format = true,
            b"terraform_version" => self.terraform = true,
            b"version" => self.version = true,
            _ => self.answer |= ANSWERS.iter().any(|a| a.as_bytes() == key),
        }
        None
    }

    fn end(&self) -> Kind {
        match self {
            Seen { format: true, terraform: true, .. } => Kind::TerraformPlan,
            Seen { terraform: true, version: true, .. } => Kind::TerraformState,
            Seen { answer: true, .. } => Kind::AwsCliAnswer,
            _ => Kind::Other(Why::Unknown),
        }
    }
}

/// Goes through JSON without building anything.
struct Scan<'t> {
    rest: &'t [u8],
    depth: usize,
}

impl<'t> Scan<'t> {
    /// The next key of the outermost object.
    fn next_key(&mut self) -> Option<&'t [u8]> {
        while let Some((first, rest)) = self.rest.split_first() {
            self.rest = rest;
            match first {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b'"' => {
                    let text = self.string();
                    let colon = self.rest.iter().find(|b| !b.is_ascii_whitespace());
                    if self.depth == 1 && colon == Some(&b':') {
                        return Some(text);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The rest of a string whose opening quote is behind us.
    fn string(&mut self) -> &'t [u8] {
        let all = self.rest;
        let mut at = 0;
        loop {
            match all.get(at) {
                None => break,
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
            }
        }
        let at = at.min(all.len());
        self.rest = all.get(at + 1..).unwrap_or_default();
        all.get(..at).unwrap_or_default()
    }
}

fn of_yaml(text: &[u8]) -> Kind {
    for line in text.split(|b| *b == b'\n' || *b == b'\r') {
        let line = line.strip_prefix(b"\"").or_else(|| line.strip_prefix(b"'")).unwrap_or(line);
        for key in [&b"Resources"[..], b"AWSTemplateFormatVersion"] {
            if let Some(behind) = line.strip_prefix(key) {
                let behind = behind.strip_prefix(b"\"").or_else(|| behind.strip_prefix(b"'")).unwrap_or(behind);
                if behind.trim_ascii_start().starts_with(b":") {
                    return Kind::CloudFormation;
                }
            }
        }
    }
    Kind::Other(Why::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (text, want) in [
            ("AWSTemplateFormatVersion: '2010-09-09'\n", Kind::CloudFormation),
            ("# x\n'Resources' :\n  A:\n", Kind::CloudFormation),
            ("---\r\nDescription: x\r\nResources:\r\n", Kind::CloudFormation),
            ("\u{feff}{\"Description\": \"a \\\" {\", \"Resources\": {", Kind::CloudFormation),
            ("{\"a\": {\"Resources\": {}}}", Kind::Other(Why::Unknown)),
            ("{\"a\": \"Resources\"}", Kind::Other(Why::Unknown)),
            ("a:\n  Resources:\n", Kind::Other(Why::Unknown)),
            ("ResourcesX: 1\n", Kind::Other(Why::Unknown)),
            ("{\"format_version\":\"1.2\",\"terraform_version\":\"1.9\",\"planned_values\":{}}", Kind::TerraformPlan),
            ("{\"format_version\":\"1.0\",\"terraform_version\":\"1.9\",\"values\":{}}", Kind::TerraformState),
            ("{\"version\": 4, \"terraform_version\": \"1.9\", \"serial\": 1}", Kind::TerraformState),
            ("{\"version\": \"38.0.1\", \"artifacts\": {}}", Kind::CdkOut),
            ("{\"SecurityGroups\": []}", Kind::AwsCliAnswer),
            (" \n", Kind::Other(Why::Empty)),
            ("a\0b", Kind::Other(Why::Binary)),
            ("{\"a", Kind::Other(Why::Unknown)),
            ("{\"a\\", Kind::Other(Why::Unknown)),
        ] {
            assert_eq!(recognise(Path::new("x"), text.as_bytes()), want, "{text}");
        }
        assert_eq!(recognise(Path::new("main.tf"), b"resource"), Kind::Other(Why::TerraformConfiguration));
    }
}
