"""All that knows Optuna: spaces, studies, the processes that train their trials, and what they found.

A sweep is a file in `sweeps/` (`sweep_file`, `space`, `objectives`). One supervisor a machine (`supervisor`, `queue`,
`job`, `stop`) asks the study (`study`, `storage`) for trials and trains each in a process of its own (`worker`,
`trial`), which reports over a socket (`channel`, `pruning`). Who is responsible for a trial stands in the study
(`ownership`), what came of it in its MLflow run before the study is told. Import the modules themselves; this one stays
empty.
"""
