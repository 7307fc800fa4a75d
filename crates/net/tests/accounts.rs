//! Small accounts, one for each rule of the semantics and each trap, as `aws` writes its answers, with the answers that are
//! expected: one document of `answers`, or several `files` by their path. One line of `expect` reads `A -> B PORTS: reachable|blocked|unknown WORDS`: for blocked, the words are exactly the
//! codes of all blockers; for unknown, a reason must hold each word; `leaves X` says where the traffic goes.

use std::path::Path;

use net::{Answer, Place, Ports, Verdict};
use serde_json::Value;

fn judge(network: &net::Network, line: &str) -> Result<(), String> {
    let (question, expected) = line.rsplit_once(": ").ok_or("no `: `")?;
    let (from, rest) = question.split_once(" -> ").ok_or("no `->`")?;
    let (to, ports) = rest.rsplit_once(' ').ok_or("no ports")?;
    let place = |text: &str| Place::parse(network, text).map_err(|e| e.to_string());
    let answer = net::reach(network, &place(from)?, &place(to)?, &Ports::parse(ports)?);
    let mut words: Vec<&str> = expected.split(' ').collect();
    let verdict = words.remove(0);
    let told = || format!("{line}\n{}", net::draw::page(&answer));
    if answer.answer.name() != verdict {
        return Err(told());
    }
    if let Some(at) = words.iter().position(|w| *w == "leaves") {
        if answer.leaves.as_deref() != words.get(at + 1).copied() {
            return Err(told());
        }
        words.drain(at..at + 2);
    }
    if words.is_empty() {
        return proof(&answer).map_err(|e| format!("{e}\n{}", told()));
    }
    let fine = match answer.answer {
        Verdict::Blocked => {
            let mut codes: Vec<&str> = answer.blockers.iter().map(|b| b.code.as_str()).collect();
            codes.sort_unstable();
            words.sort_unstable();
            codes == words
        }
        _ => words.iter().all(|word| answer.reasons.iter().any(|r| r.contains(word))),
    };
    if fine { proof(&answer).map_err(|e| format!("{e}\n{}", told())) } else { Err(told()) }
}

/// What every answer owes: a way if reachable, blockers if blocked, reasons if unknown.
fn proof(answer: &Answer) -> Result<(), String> {
    let fine = match answer.answer {
        Verdict::Reachable => !answer.path.is_empty() && answer.blockers.is_empty() && !answer.open.is_empty(),
        Verdict::Blocked => !answer.blockers.is_empty() && answer.blockers.iter().all(|b| !b.code.is_empty()),
        Verdict::Unknown => !answer.reasons.is_empty(),
    };
    if fine { Ok(()) } else { Err("the answer lacks its proof".to_owned()) }
}

#[test]
fn every_account_answers_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 40, "{} accounts", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let fixture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let documents: Vec<(String, Value)> = match fixture["files"].as_object() {
            Some(files) => files.iter().map(|(path, document)| (path.clone(), document.clone())).collect(),
            None => vec![("accounts/111122223333/eu-west-1/all.json".to_owned(), fixture["answers"].clone())],
        };
        let network = net::from_aws_answers(documents);
        for line in fixture["expect"].as_array().unwrap() {
            if let Err(problem) = judge(&network, line.as_str().unwrap()) {
                wrong.push(format!("{}: {problem}", file.file_stem().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n"));
}
