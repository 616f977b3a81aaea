resource "aws_lambda_function" "this" {
  count = local.lambda ? 1 : 0

  function_name                  = "${var.name}-api"
  description                    = "API of ${var.name}"
  role                           = aws_iam_role.process[0].arn
  filename                       = var.lambda.package
  source_code_hash               = filebase64sha256(var.lambda.package)
  handler                        = "lambda.handler"
  runtime                        = var.lambda.runtime
  architectures                  = ["arm64"]
  memory_size                    = var.lambda.memory
  timeout                        = 30
  reserved_concurrent_executions = var.lambda.concurrency
  tags                           = var.tags

  environment {
    variables = local.environment
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_id]
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this[0].name
  }

  depends_on = [aws_iam_role_policy.process]
}

resource "aws_apigatewayv2_api" "this" {
  count = local.lambda ? 1 : 0

  name          = "${var.name}-api"
  description   = "API of ${var.name}"
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_integration" "this" {
  count = local.lambda ? 1 : 0

  api_id                 = aws_apigatewayv2_api.this[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this[0].invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "default" {
  count = local.lambda ? 1 : 0

  api_id    = aws_apigatewayv2_api.this[0].id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.this[0].id}"
}

resource "aws_apigatewayv2_stage" "default" {
  count = local.lambda ? 1 : 0

  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_burst_limit = var.throttling.burst
    throttling_rate_limit  = var.throttling.rate
  }
}

resource "aws_lambda_permission" "gateway" {
  count = local.lambda ? 1 : 0

  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[0].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this[0].execution_arn}/*"
}
