#!/bin/sh
# An ECS task that does nothing until it is told to stop.
exec sleep 600
