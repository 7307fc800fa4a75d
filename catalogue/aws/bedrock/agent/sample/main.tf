resource "aws_bedrockagent_agent" "sample" {
  agent_name                  = "helpdesk"
  agent_resource_role_arn     = "arn:aws:iam::123456789012:role/helpdesk-agent"
  customer_encryption_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  foundation_model            = "anthropic.claude-3-5-sonnet-20240620-v1:0"
  guardrail_configuration = [{
    "guardrail_identifier" = "abcdefgh1234"
    "guardrail_version"    = "1"
  }]
  idle_session_ttl_in_seconds = 900
  instruction                 = "Answer questions about orders of the person who asks, and about nothing else."
}
