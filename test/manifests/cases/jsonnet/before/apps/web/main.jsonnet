{ spec: { replicas: 2 } }
