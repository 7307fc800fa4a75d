//! Templates to measure on: the kinds of resources that people write, with parameters, conditions and references.

use std::fmt::Write as _;
use std::path::Path;

use super::write_file;

/// Writes `count` templates of 4 to 60 resources, about 14 kB each.
pub(super) fn generate(folder: &Path, count: usize) -> Result<(), String> {
    for n in 0..count {
        let mut text = String::from(HEAD);
        for r in 0..(2 + n * 7 % 29) {
            for line in BODY.lines() {
                let _ = writeln!(text, "{}", line.replace('#', &r.to_string()));
            }
        }
        write_file(&folder.join(format!("template-{n:04}.yaml")), &text)?;
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
