# Roles, users and groups with everything that is attached to them.

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com", "ec2.amazonaws.com"]
    }
  }
}

resource "aws_sqs_queue" "jobs" {}

data "aws_iam_policy_document" "jobs" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    sid       = "Jobs"
    actions   = ["sqs:SendMessage", "sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.jobs.arn]
  }
}

data "aws_iam_policy_document" "base" {
  statement {
    sid       = "Logs"
    actions   = ["logs:*"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "worker" {
  name               = "worker"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  inline_policy {
    name   = "inline"
    policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
  }
}

resource "aws_iam_role_policy" "jobs" {
  name   = "jobs"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.jobs.json
}

# Unknown text with a reference inside: neither a policy nor a link.
resource "aws_iam_role_policy" "composed" {
  name   = "composed"
  role   = aws_iam_role.worker.name
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = aws_sqs_queue.jobs.arn }] })
}

resource "aws_iam_policy" "own" {
  name   = "own"
  policy = data.aws_iam_policy_document.base.json
}

resource "aws_iam_role_policy_attachment" "worker" {
  for_each   = { admin = "arn:aws:iam::aws:policy/AdministratorAccess", own = aws_iam_policy.own.arn }
  role       = aws_iam_role.worker.name
  policy_arn = each.value
}

resource "aws_iam_user" "ann" {
  name = "ann"
  path = "/staff/"
}

resource "aws_iam_group" "staff" {
  name = "staff"
}

resource "aws_iam_user_group_membership" "ann" {
  user   = aws_iam_user.ann.name
  groups = [aws_iam_group.staff.name]
}

resource "aws_iam_group_policy_attachment" "staff" {
  group      = aws_iam_group.staff.name
  policy_arn = aws_iam_policy.own.arn
}

resource "aws_iam_policy_attachment" "everywhere" {
  name       = "everywhere"
  roles      = [aws_iam_role.worker.name]
  users      = [aws_iam_user.ann.name]
  groups     = [aws_iam_group.staff.name]
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_user_policy" "ann" {
  user   = aws_iam_user.ann.name
  policy = data.aws_iam_policy_document.base.json
}
