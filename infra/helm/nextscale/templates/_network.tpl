{{/* Ports of one destination. Takes peers (any address where there are none), ports (as text) and perhaps protocols. */}}
{{- define "nextscale.allow" -}}
- ports:
    {{- $protocols := default (list "TCP") .protocols }}
    {{- range $port := .ports }}
    {{- range $protocol := $protocols }}
    - { protocol: {{ $protocol }}, port: {{ $port }} }
    {{- end }}
    {{- end }}
  {{- with .peers }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Where a component may go. Takes root and component. */}}
{{- define "nextscale.egress" -}}
{{- $values := .root.Values -}}
{{- $policy := $values.networkPolicy -}}
{{- $usesStore := ne .component "first-key" -}}
{{ include "nextscale.allow" (dict "peers" $policy.dnsTo "ports" (list 53) "protocols" (list "UDP" "TCP")) }}
{{ include "nextscale.allow" (dict "peers" $policy.redisTo "ports" $values.redis.ports) }}
{{- if and $usesStore (include "nextscale.usesS3" .) }}
{{ include "nextscale.allow" (dict "peers" $policy.storeTo "ports" (list (include "nextscale.portOf" (default "https://s3" $values.store.s3.endpoint)))) }}
{{- end }}
{{- if and $usesStore $values.settings.OTEL_EXPORTER_OTLP_ENDPOINT }}
{{ include "nextscale.allow" (dict "ports" (list (include "nextscale.portOf" $values.settings.OTEL_EXPORTER_OTLP_ENDPOINT))) }}
{{- end }}
{{- if include "nextscale.usesAws" . }}
{{ include "nextscale.allow" (dict "ports" (list 443)) }}
{{- end }}
{{- if $policy.podIdentity }}
{{ include "nextscale.allow" (dict "peers" (list (dict "ipBlock" (dict "cidr" "169.254.170.23/32"))) "ports" (list 80)) }}
{{- end }}
{{- if eq .component "control" }}
{{ include "nextscale.egress.webhooks" .root }}
{{- end }}
{{- end -}}

{{/* Whether a component reaches S3, for pictures or for models. */}}
{{- define "nextscale.usesS3" -}}
{{- $uses := eq .root.Values.store.kind "s3" -}}
{{- if eq .component "runner" -}}
{{- range $named := .root.Values.pools -}}
{{- $pool := include "nextscale.pool" (dict "root" $.root "pool" $named) | fromYaml -}}
{{- range $pool.models -}}
{{- if hasPrefix "s3://" . -}}{{- $uses = true -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $uses }}true{{ end -}}
{{- end -}}

{{/* Whether a component talks to services of AWS other than S3: roles, secrets. */}}
{{- define "nextscale.usesAws" -}}
{{- $values := .root.Values -}}
{{- $account := get $values.serviceAccounts (ternary "firstKey" .component (eq .component "first-key")) -}}
{{- $hasSecret := and (eq .component "first-key") (ne $values.firstKey.secretArn "") -}}
{{- if or $values.redis.secretArn $hasSecret (hasKey $account.annotations "eks.amazonaws.com/role-arn") }}true{{ end -}}
{{- end -}}

{{/* Receivers are on the public internet, unless EGRESS says any. */}}
{{- define "nextscale.egress.webhooks" -}}
{{- if eq (default "public" .Values.settings.EGRESS) "any" -}}
- {}
{{- else -}}
{{- $ports := splitList "," (default "443,8443" .Values.settings.EGRESS_PORTS) -}}
{{- $v4 := dict "cidr" "0.0.0.0/0" "except" (list "0.0.0.0/8" "10.0.0.0/8" "100.64.0.0/10" "127.0.0.0/8" "169.254.0.0/16" "172.16.0.0/12" "192.168.0.0/16" "224.0.0.0/3") -}}
{{- $v6 := dict "cidr" "2000::/3" -}}
{{- $trimmed := list -}}
{{- range $ports -}}{{- $trimmed = append $trimmed (trim .) -}}{{- end -}}
{{ include "nextscale.allow" (dict "peers" (list (dict "ipBlock" $v4) (dict "ipBlock" $v6)) "ports" $trimmed) }}
{{- end -}}
{{- end -}}
