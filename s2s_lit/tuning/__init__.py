"""All that knows Optuna: spaces, studies, the processes that train their trials, and what they found.

A sweep is a file in `sweeps/` (`search/`). Its study lies in a storage and holds the trials (`study/`). One supervisor
a machine asks the study for trials and trains each in a process of its own, which reports to it (`execution/`). Who is
responsible for a trial stands in the study, and what came of it in its MLflow run before the study is told. At the end
the tables, the pictures and the best experiment are made (`results/`). Private parts of Optuna are reached through
`optuna_adapter` alone. Import the modules themselves; this one stays empty.
"""
