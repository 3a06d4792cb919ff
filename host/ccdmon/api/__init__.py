"""What `import ccdmon` offers: see the package itself, which imports these modules when they are asked for."""
