"""Speed, as ratios within one run: `./dev bench`. Nothing here is a test; no test is timed."""
