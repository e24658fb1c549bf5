import { RELEASE_CLOCK_INPUT } from '../adapters/aws/environment.ts';

/** What the definition refers to. May be tokens. */
export type MachineParts = { readonly functionArn: string };

/** A look that fails is tried again within half a minute, so that a hold is read again within two of them at the most. */
const RETRY_LOOK = [
  {
    ErrorEquals: ['States.ALL'],
    IntervalSeconds: 1,
    BackoffRate: 2,
    MaxAttempts: 5,
    MaxDelaySeconds: 16,
    JitterStrategy: 'FULL',
  },
];
const RETRY_CALL = [
  {
    ErrorEquals: ['States.ALL'],
    IntervalSeconds: 2,
    BackoffRate: 2,
    MaxAttempts: 3,
    MaxDelaySeconds: 20,
    JitterStrategy: 'FULL',
  },
];
const ALREADY = 'StepFunctions.ExecutionAlreadyExistsException';
const REST_S = 30;

/** The release clock of a model in Amazon States Language (JSONPath): looks, waits, looks again, until the model has no open release. */
export function releaseMachine({ functionArn }: MachineParts) {
  return {
    Comment: 'Looks at the open release of one model until it has ended. Decides nothing: the function does.',
    StartAt: 'From where',
    States: {
      // A pipe gives a list of one, an execution that is continued gives what is in it.
      'From where': {
        Type: 'Choice',
        Choices: [{ Variable: '$.model', IsPresent: true, Next: 'Look' }],
        Default: 'Begin',
      },
      Begin: { Type: 'Pass', InputPath: '$[0]', Next: 'Look' },
      Look: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: functionArn, Payload: fields(RELEASE_CLOCK_INPUT) },
        OutputPath: '$.Payload',
        TimeoutSeconds: 60,
        Retry: RETRY_LOOK,
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Rest' }],
        Next: 'What next',
      },
      'What next': {
        Type: 'Choice',
        Choices: [{ Variable: '$.notices[0]', IsPresent: true, Next: 'Tell' }, ...onward()],
        Default: 'Hold',
      },
      Tell: {
        Type: 'Task',
        Resource: 'arn:aws:states:::events:putEvents',
        Parameters: { 'Entries.$': '$.notices' },
        ResultPath: null,
        TimeoutSeconds: 30,
        Retry: RETRY_CALL,
        // That nobody could be told does not hold up a release.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Told' }],
        Next: 'Told',
      },
      Told: { Type: 'Choice', Choices: onward(), Default: 'Hold' },
      Hold: { Type: 'Wait', SecondsPath: '$.waitSeconds', Next: 'Look' },
      Continue: startNext('Done'),
      Done: { Type: 'Succeed' },
      Rest: { Type: 'Wait', Seconds: REST_S, Next: 'Hand over' },
      'Hand over': startNext('Failed'),
      Failed: {
        Type: 'Fail',
        Error: 'LookFailed',
        Cause: 'The function failed at every try. Another execution goes on from here.',
      },
    },
  };
}

function onward() {
  return [
    { Variable: '$.next', StringEquals: 'done', Next: 'Done' },
    { Variable: '$.next', StringEquals: 'continue', Next: 'Continue' },
  ];
}

/** Starts the execution that continues this one. Its name says of whom and the how-manieth it is, so that there is no second one. */
function startNext(next: string) {
  const { looks, generation, ...kept } = RELEASE_CLOCK_INPUT;
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::states:startExecution',
    Parameters: {
      'StateMachineArn.$': '$$.StateMachine.Id',
      'Name.$': "States.Format('{}-{}', $.activation, States.MathAdd($.generation, 1))",
      Input: {
        ...fields(kept),
        'generation.$': 'States.MathAdd($.generation, 1)',
        looks,
        // By it the console shows the two as one chain.
        'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$': '$$.Execution.Id',
      },
    },
    TimeoutSeconds: 30,
    Retry: [{ ErrorEquals: [ALREADY], MaxAttempts: 0 }, ...RETRY_CALL],
    Catch: [
      { ErrorEquals: [ALREADY], Next: next },
      { ErrorEquals: ['States.ALL'], Next: 'Failed' },
    ],
    Next: next,
  };
}

/** Each as it is in the state. */
function fields(names: object): Record<string, string> {
  return Object.fromEntries(Object.keys(names).map((name) => [`${name}.$`, `$.${name}`]));
}
