//! Service control policies from an organisation's answers.
//!
//! Two forms: levels as cases have them, `[{"node": "r-1", "policies": [..]}]`, and answers of AWS Organizations put together,
//! `{"Policies": [{"Name", "Content", "Targets": [{"TargetId", "Type"}]}]}`, of which each target becomes a level. Which units
//! an account is in is not told by these answers: what is handed over has to be the account's own path.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Account;
use crate::document::Policy;
use crate::evaluate::Level;

impl Account {
    /// Puts service control policies over the account. Policies that are attached to other accounts are left out.
    pub fn under(&mut self, document: &Json) -> Result<(), String> {
        self.scp = match document.get("Policies").and_then(Json::as_array) {
            Some(policies) => targets(policies, self.id.as_deref())?,
            None => crate::case::levels(Some(document))?,
        };
        Ok(())
    }
}

fn targets(policies: &[Json], account: Option<&str>) -> Result<Vec<Level>, String> {
    let mut levels: Vec<(u8, Level)> = Vec::new();
    for (i, policy) in policies.iter().enumerate() {
        let text = |name: &str| policy.get(name).or_else(|| policy.pointer(&format!("/PolicySummary/{name}")));
        let kind = text("Type").and_then(Json::as_str).unwrap_or("SERVICE_CONTROL_POLICY");
        if kind != "SERVICE_CONTROL_POLICY" {
            continue;
        }
        let content = text("Content").ok_or_else(|| format!("`Policies[{i}]` has no `Content`"))?;
        let read = match content {
            Json::String(text) => Policy::from_json(text),
            other => Policy::from_value(&model::from_json(other)),
        };
        let read = Arc::new(read);
        for target in policy.get("Targets").and_then(Json::as_array).into_iter().flatten() {
            let Some(node) = target.get("TargetId").and_then(Json::as_str) else { continue };
            let depth = match target.get("Type").and_then(Json::as_str) {
                Some("ROOT") => 0,
                Some("ACCOUNT") => 2,
                _ => 1,
            };
            if depth == 2 && account.is_some_and(|own| own != node) {
                continue;
            }
            match levels.iter_mut().find(|(_, level)| level.node == node) {
                Some((_, level)) => level.policies.push(read.clone()),
                None => levels.push((depth, Level { node: node.to_owned(), policies: vec![read.clone()] })),
            }
        }
    }
    levels.sort_by(|a, b| (a.0, &a.1.node).cmp(&(b.0, &b.1.node)));
    Ok(levels.into_iter().map(|(_, level)| level).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decision;
    use serde_json::json;

    #[test]
    fn both_forms() {
        let all = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
        let no_s3 = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }] });
        let details = json!({ "UserDetailList": [{ "Arn": "arn:aws:iam::111122223333:user/ann", "UserName": "ann",
            "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": all }] }] });
        let mut account = Account::from_authorization_details(&details).unwrap();
        let decide = |account: &Account, action: &str| {
            let ann = account.find("ann").unwrap();
            let access = crate::can(account, ann, action, "arn:aws:s3:::b", &[]);
            (access.decision, access.blocked_by)
        };
        assert_eq!(decide(&account, "s3:ListBucket").0, Decision::Allowed);
        let target = |id: &str, kind: &str| json!({ "TargetId": id, "Type": kind });
        let answers = json!({ "Policies": [
            { "Name": "FullAWSAccess", "Content": all.to_string(), "Targets": [target("r-1", "ROOT"), target("ou-1", "ORGANIZATIONAL_UNIT")] },
            { "Name": "NoS3", "Content": no_s3, "Targets": [target("ou-1", "ORGANIZATIONAL_UNIT")] },
            { "Name": "Other", "Content": no_s3, "Targets": [target("999999999999", "ACCOUNT")] },
        ] });
        account.under(&answers).unwrap();
        assert_eq!(account.scp.iter().map(|l| l.node.as_str()).collect::<Vec<_>>(), ["r-1", "ou-1"]);
        assert_eq!(decide(&account, "s3:ListBucket"), (Decision::ExplicitlyDenied, vec!["scp:ou-1".to_owned()]));
        assert_eq!(decide(&account, "ec2:RunInstances").0, Decision::Allowed);
        account.under(&json!([{ "node": "r-1", "policies": [] }])).unwrap();
        assert_eq!(decide(&account, "ec2:RunInstances"), (Decision::ImplicitlyDenied, vec!["scp:r-1".to_owned()]));
        assert!(account.under(&json!({ "Policies": [{}] })).is_err() && account.under(&json!(7)).is_err());
    }
}
