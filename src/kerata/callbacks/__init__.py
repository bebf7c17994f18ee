"""Callbacks: what happens at the beginnings and ends of training, evaluation and prediction."""

from kerata.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
from kerata.callbacks.callback import Callback as Callback
from kerata.callbacks.callback_list import CallbackList as CallbackList
from kerata.callbacks.csv_logger import CSVLogger as CSVLogger
from kerata.callbacks.early_stopping import EarlyStopping as EarlyStopping
from kerata.callbacks.history import History as History
from kerata.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from kerata.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
from kerata.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
from kerata.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
from kerata.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from kerata.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
from kerata.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
