"""How good a recording in progress is: figures twice a second, rules that judge them, alerts that tell.

A sample's way through it: `vitals` takes the figures (`gauges`: of one picture, `light`: of every frame,
`flow`: how frames come), `control` judges them by the rules in force, `alarms` tells, `chart` remembers.
"""
