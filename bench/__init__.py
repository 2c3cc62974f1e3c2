"""Where the time goes: each figure beside a reference measured in the same run."""
