//! How long reading takes: `cargo run --release -p palisade-iac --example read_folder [FOLDER]`. Without a folder it writes
//! 1,000 templates of the kinds that people write to a scratch folder and reads those.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use iac::cloudformation::{Parameters, read};
use iac::{Limits, Options, read_paths};

fn main() -> std::io::Result<()> {
    let scratch = tempfile::tempdir()?;
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => {
            generate(scratch.path(), 1_000)?;
            scratch.path().to_owned()
        }
    };
    let mut out = std::io::stdout();
    let started = Instant::now();
    let snapshot = read_paths(std::slice::from_ref(&folder), &Options::default());
    let whole = started.elapsed();
    let counts = (snapshot.scopes.len(), snapshot.resources.len(), snapshot.gaps.len());
    drop(snapshot);

    let texts = texts(&folder)?;
    let bytes: usize = texts.iter().map(String::len).sum();
    let limits = Limits::default();
    let started = Instant::now();
    let parsed = texts.iter().filter(|t| parse(t, &limits)).count();
    let parsing = started.elapsed();
    let started = Instant::now();
    let resources: usize =
        texts.iter().map(|t| read(t, "t", &Parameters::default(), &limits, &|_, _| None).resources.len()).sum();
    let both = started.elapsed();
    writeln!(out, "{} files, {bytes} bytes, {parsed} parsed, {resources} resources", texts.len())?;
    writeln!(out, "scopes, resources, gaps of the folder: {counts:?}")?;
    writeln!(out, "one thread: parse {parsing:.0?}, parse and evaluate {both:.0?}; folder, all threads: {whole:.0?}")
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

/// Templates of 2 to 30 resources, about 8 kB each.
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
