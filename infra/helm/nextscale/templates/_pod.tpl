{{/*
The pod of every component, so that all are confined alike. Takes root, component, serviceAccount, image, args, env (a map as text),
resources, grace in seconds, port (a number with its name; none for a task), mounts and volumes of its own, and scheduling.
*/}}
{{- define "nextscale.pod" -}}
{{- $secrets := include "nextscale.secrets" . | fromYamlArray -}}
serviceAccountName: {{ .serviceAccount }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .grace }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
containers:
  - name: {{ .component }}
    image: {{ .image | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args:
      {{- toYaml .args | nindent 6 }}
    env:
      {{- include "nextscale.env" .env | trim | nindent 6 }}
      {{- with .moreEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with .port }}
    ports:
      - name: {{ .name }}
        containerPort: {{ .number }}
    startupProbe:
      httpGet: { path: /healthz, port: {{ .name }} }
      periodSeconds: 2
      timeoutSeconds: 2
      failureThreshold: 60
    livenessProbe:
      httpGet: { path: /healthz, port: {{ .name }} }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: { path: /readyz, port: {{ .name }} }
      periodSeconds: 5
      timeoutSeconds: 2
      failureThreshold: 2
    {{- end }}
    resources:
      {{- toYaml .resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      - name: tmp
        mountPath: /tmp
      {{- range $secrets }}
      - name: {{ .name }}
        mountPath: /secrets/{{ .name }}
        readOnly: true
      {{- end }}
      {{- with .mounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 256Mi
  {{- range $secrets }}
  - name: {{ .name }}
    secret:
      secretName: {{ .secret }}
      # 0440, which the group that fsGroup names may read.
      defaultMode: 288
      items:
        - { key: {{ .key }}, path: {{ .path }} }
  {{- end }}
  {{- with .volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .scheduling }}
{{- with .runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where pictures are on a disk. Takes root. */}}
{{- define "nextscale.data.mounts" -}}
{{- if eq .Values.store.kind "disk" }}
- name: data
  mountPath: /data
{{- end }}
{{- end -}}

{{- define "nextscale.data.volumes" -}}
{{- if eq .Values.store.kind "disk" }}
- name: data
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-data" (include "nextscale.name" .)) .Values.store.disk.existingClaim }}
{{- end }}
{{- end -}}

{{/* Spreads a component over nodes where that can be done. Takes what selectors take. */}}
{{- define "nextscale.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "nextscale.selector" . | nindent 8 }}
{{- end -}}
