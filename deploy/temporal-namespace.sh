#!/bin/sh
# Makes the namespace of passerelle in Temporal, or sets the retention of the one that is there: how long closed cycles are
# kept. Takes TEMPORAL_ADDRESS, NAMESPACE and RETENTION (90d). Waits for a server that is still starting.
set -eu

look=0
until temporal operator cluster health >/dev/null 2>&1; do
  look=$((look + 1))
  if [ "$look" -ge 60 ]; then
    echo "Expected Temporal to answer at $TEMPORAL_ADDRESS within a minute, got nothing" >&2
    exit 1
  fi
  sleep 1
done

if temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace update --namespace "$NAMESPACE" --retention "$RETENTION"
else
  temporal operator namespace create --namespace "$NAMESPACE" --retention "$RETENTION"
fi
