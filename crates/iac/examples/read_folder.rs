//! How long reading takes: `cargo run --release -p palisade-iac --example read_folder [PHASE [FOLDER]]`, where the phase is
//! `none`, `parse`, `read` (parse and evaluate; these on one thread) or `folder` (all of it, on all threads). Without a
//! folder it writes 1,000 templates of the kinds that people write to a scratch folder and reads those.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use iac::cloudformation::{Parameters, read};
use iac::{Limits, Options, read_paths};

fn main() -> std::io::Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut arguments = std::env::args_os().skip(1);
    let phase = arguments.next().map_or_else(|| "folder".to_owned(), |a| a.to_string_lossy().into_owned());
    let folder = match arguments.next() {
        Some(folder) => PathBuf::from(folder),
        None => {
            generate(scratch.path(), 1_000)?;
            scratch.path().to_owned()
        }
    };
    let texts = texts(&folder)?;
    let bytes: usize = texts.iter().map(String::len).sum();
    let limits = Limits::default();
    let started = Instant::now();
    let what = match &*phase {
        "none" => String::new(),
        "parse" => format!("{} parsed", texts.iter().filter(|t| parse(t, &limits)).count()),
        "read" => {
            let read = |t: &String| read(t, "t", &Parameters::default(), &limits, &|_, _| None).resources.len();
            format!("{} resources", texts.iter().map(read).sum::<usize>())
        }
        _ => {
            drop(texts);
            let snapshot = read_paths(std::slice::from_ref(&folder), &Options::default());
            let counts = (snapshot.scopes.len(), snapshot.resources.len(), snapshot.gaps.len());
            format!("scopes, resources, gaps: {counts:?}")
        }
    };
    let took = started.elapsed();
    writeln!(std::io::stdout(), "{phase}: {bytes} bytes, {what}, {took:.0?}")
}

fn parse(text: &str, limits: &Limits) -> bool {
    match text.trim_start().starts_with('{') {
        true => syntax::parse_json(text, &limits.text).is_ok(),
        false => syntax::parse_yaml(text, &limits.text).is_ok(),
    }
}

fn texts(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(texts(&path)?);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            all.push(text);
        }
    }
    Ok(all)
}

/// Templates of 4 to 60 resources, about 14 kB each.
fn generate(folder: &Path, count: usize) -> std::io::Result<()> {
    for n in 0..count {
        let mut text = String::from(HEAD);
        for r in 0..(2 + n * 7 % 29) {
            for line in BODY.lines() {
                let _ = writeln!(text, "{}", line.replace('#', &r.to_string()));
            }
        }
        std::fs::write(folder.join(format!("template-{n:04}.yaml")), text)?;
    }
    Ok(())
}

const HEAD: &str = "AWSTemplateFormatVersion: '2010-09-09'
Description: A generated template
Parameters:
  Env:
    Type: String
    Default: dev
    AllowedValues: [dev, test, prod]
  VpcId:
    Type: AWS::EC2::VPC::Id
Mappings:
  Sizes:
    dev: {Size: t3.small}
    test: {Size: t3.small}
    prod: {Size: m5.large}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
Resources:
";

const BODY: &str = "  Bucket#:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub '${AWS::StackName}-data-${Env}-#'
      VersioningConfiguration:
        Status: !If [IsProd, Enabled, Suspended]
      Tags:
        - Key: Name
          Value: !Join ['-', [!Ref Env, 'bucket', '#']]
  Role#:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal:
              Service: lambda.amazonaws.com
            Action: sts:AssumeRole
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: ['s3:GetObject', 's3:ListBucket']
                Resource:
                  - !GetAtt Bucket#.Arn
                  - !Sub '${Bucket#.Arn}/*'";
